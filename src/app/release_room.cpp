#include "app/release_room.h"

#include <algorithm>
#include <string>

#include "app/report_session.h"
#include "logging/log.h"

namespace app {

namespace {

// Waits until no claim for the room is under way, and returns whether it may be released.
Released may_release(Registry& registry, const domain::RoomId& room, bool force, Claim::Deadline deadline,
                     std::string& left) {
  for (;;) {
    std::shared_ptr<Claim> claim;
    {
      Registry::Transaction transaction(registry);
      const domain::Ledger::Room* entry = transaction.ledger().find(room);
      if (!entry || !entry->held) return Released::no_assignment;
      if (transaction.ledger().is_occupied(room, transaction.now().service) && !force) return Released::occupied;
      left = transaction.ledger().name_of(entry->held->gateway);
      if (!entry->pending) return Released::done;
      claim = transaction.claims_in_flight().require(room);
    }
    if (claim->wait_until(deadline) == ClaimOutcome::timed_out) return Released::storage_unavailable;
  }
}

// All but as many as one transaction can forget.
void forget_most_sessions(Registry& registry, const domain::RoomId& room) {
  for (std::size_t left = 1; left > 0; registry.pause_between_slices()) {
    Registry::Transaction transaction(registry);
    transaction.quarantine().begin(room, transaction.now().service + transaction.options().dead_after);
    const domain::Ledger::Room* entry = transaction.ledger().find(room);
    left = entry && entry->sessions > forgotten_per_slice ? entry->sessions - forgotten_per_slice : 0;
    transaction.ledger().forget_sessions(room, std::min(left, forgotten_per_slice));
  }
}

// What may have changed since the file was asked is put back there.
Released release(Registry& registry, const domain::RoomId& room, bool force, const std::string& left) {
  if (force) forget_most_sessions(registry, room);
  Registry::Transaction transaction(registry);
  domain::Ledger& ledger = transaction.ledger();
  if (!force && ledger.is_occupied(room, transaction.now().service)) {
    ledger.note(room);
    return Released::occupied;
  }
  if (force) ledger.forget_sessions(room, forgotten_per_slice);
  // With a shared store the ledger has followed it by now.
  if (ledger.end_assignment(room) || ledger.announces_uses()) {
    transaction.counts().removed[RemovedBy::release].add();
    transaction.decision_notes().note_release(room, left, transaction.now().wall);
  }
  return Released::done;
}

}  // namespace

Released release_room(Registry& registry, const domain::RoomId& room, bool force) {
  const auto deadline = registry.deadline();
  std::string left;
  const Released possible = may_release(registry, room, force, deadline, left);
  if (possible != Released::done) return possible;
  switch (registry.claims().release(room, force, deadline)) {
    case Claims::Released::done:
      break;
    case Claims::Released::in_use:
      return Released::occupied;
    case Claims::Released::unavailable:
      return Released::storage_unavailable;
  }
  const Released released = release(registry, room, force, left);
  if (released == Released::done) logging::info("Released room assignment", {{"room_id", room}, {"force", force}});
  return released;
}

}  // namespace app
