#include "app/end_assignment.h"

#include <memory>
#include <string>

#include "logging/log.h"

namespace app {
namespace {

void log_end(Registry& registry, const std::string& room, RemovedBy by) {
  registry.counts().removed[by].add();
  if (by == RemovedBy::leave) logging::info("Cleaned up room assignment immediately", {{"room_id", room}});
}

}  // namespace

Removal end_if_unused(Registry::Transaction& transaction, std::string_view room, RemovedBy by) {
  domain::Ledger& ledger = transaction.ledger();
  if (ledger.may_end(room, transaction.now().service, transaction.options().join_grace))
    return end_assignment(transaction, room, by);
  ledger.note_emptied(room);
  return {};
}

Removal end_assignment(Registry::Transaction& transaction, std::string_view room, RemovedBy by) {
  domain::Ledger& ledger = transaction.ledger();
  Registry& registry = transaction.registry();
  const domain::Ledger::Room* entry = ledger.find(room);
  if (!entry || !entry->held || entry->pending) return {};
  // We never announced this room as used here, so ending it is up to the other sidecars.
  if (ledger.announces_uses() &&
      (ledger.announced_use(*entry) == domain::Use::none || !registry.claims().store_view().may_claim))
    return {};
  const std::string name(room);
  Removal removal{false, std::make_shared<Completion>()};
  const auto ended = [&registry, name, by, completion = removal.completion](bool has_ended) {
    if (has_ended) log_end(registry, name, by);
    completion->settle(has_ended);
  };
  if (registry.claims().give_up(name, ended)) {
    ledger.end_assignment(name);
    log_end(registry, name, by);
    return {true, nullptr};
  }
  ledger.set_announced_use(name, domain::Use::none);
  return removal;
}

}  // namespace app
