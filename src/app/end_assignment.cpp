#include "app/end_assignment.h"

#include <memory>

#include "logging/log.h"

namespace app {
namespace {

void log_end(Registry& registry, const domain::RoomId& room, RemovedBy by) {
  registry.counts().removed[by].add();
  if (by == RemovedBy::leave) logging::info("Cleaned up room assignment immediately", {{"room_id", room}});
}

}  // namespace

Removal end_if_unused(Registry::Transaction& transaction, const domain::RoomId& room, RemovedBy by) {
  domain::Ledger& ledger = transaction.ledger();
  if (ledger.may_end(room, transaction.now().service, transaction.options().join_grace))
    return end_assignment(transaction, room, by);
  ledger.note_emptied(room);
  return {};
}

Removal end_assignment(Registry::Transaction& transaction, const domain::RoomId& room, RemovedBy by) {
  domain::Ledger& ledger = transaction.ledger();
  Registry& registry = transaction.registry();
  const domain::Ledger::Room* entry = ledger.find(room);
  if (!entry || !entry->held || entry->pending) return {};
  // We never announced this room as used here, so ending it is up to the other sidecars.
  if (ledger.announces_uses() &&
      (ledger.announced_use(*entry) == domain::Use::none || !registry.claims().store_view().may_claim))
    return {};
  Removal removal{false, std::make_shared<Completion>()};
  const auto ended = [&registry, room, by, completion = removal.completion](bool has_ended) {
    if (has_ended) log_end(registry, room, by);
    completion->settle(has_ended);
  };
  if (registry.claims().give_up(room, ended)) {
    log_end(registry, room, by);  // first: `room` may be the key of what ends
    ledger.end_assignment(room);
    return {true, nullptr};
  }
  ledger.set_announced_use(room, domain::Use::none);
  return removal;
}

}  // namespace app
