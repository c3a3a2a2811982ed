#include "app/release_room.h"

#include <algorithm>
#include <string>

#include "app/event_log.h"
#include "app/report_session.h"

namespace app {

namespace {

// Waits until nobody's claim for the room is under way, and says whether it may be released.
Released may_release(Desk& desk, std::string_view room, bool force, Claim::Deadline deadline, std::string& left) {
  for (;;) {
    std::shared_ptr<Claim> claim;
    {
      Desk::Turn turn(desk);
      const domain::Ledger::Room* entry = turn.ledger().find(room);
      if (!entry || !entry->held) return Released::no_assignment;
      if (turn.ledger().is_occupied(room, turn.now().service) && !force) return Released::occupied;
      left = turn.ledger().name_of(entry->held->gateway);
      if (!entry->pending) return Released::done;
      claim = turn.claim_for(room);
    }
    if (claim->wait_until(deadline) == Claim::Outcome::late) return Released::storage_unavailable;
  }
}

// All but as many as one turn can forget.
void forget_most_sessions(Desk& desk, std::string_view room) {
  for (std::size_t left = 1; left > 0; desk.let_others_pass()) {
    Desk::Turn turn(desk);
    turn.disbelieve_reports(room, turn.now().service + turn.options().dead_after);
    const domain::Ledger::Room* entry = turn.ledger().find(room);
    left = entry && entry->sessions > forgotten_a_turn ? entry->sessions - forgotten_a_turn : 0;
    turn.ledger().forget_sessions(room, std::min(left, forgotten_a_turn));
  }
}

// What may have changed since the file was asked is put back there.
Released release(Desk& desk, std::string_view room, bool force, const std::string& left) {
  if (force) forget_most_sessions(desk, room);
  Desk::Turn turn(desk);
  domain::Ledger& ledger = turn.ledger();
  if (!force && ledger.is_occupied(room, turn.now().service)) {
    ledger.note(room);
    return Released::occupied;
  }
  if (force) ledger.forget_sessions(room, forgotten_a_turn);
  // Where others have a say the ledger has followed them by now.
  if (ledger.end_assignment(room) || ledger.tells_uses()) {
    turn.counts().removed[RemovedBy::release].add();
    turn.note_release(room, left);
  }
  return Released::done;
}

}  // namespace

Released release_room(Desk& desk, std::string_view room, bool force) {
  const auto deadline = desk.deadline();
  std::string left;
  const Released possible = may_release(desk, room, force, deadline, left);
  if (possible != Released::done) return possible;
  switch (desk.claims().release(std::string(room), force, deadline)) {
    case Claims::Released::done:
      break;
    case Claims::Released::in_use:
      return Released::occupied;
    case Claims::Released::unavailable:
      return Released::storage_unavailable;
  }
  const Released released = release(desk, room, force, left);
  if (released == Released::done) log_info("Released room assignment", {{"room_id", room}, {"force", force}});
  return released;
}

}  // namespace app
