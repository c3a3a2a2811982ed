#include "app/release_room.h"

#include <string>

#include "app/event_log.h"
#include "store/journal.h"

namespace app {

Released release_room(Desk& desk, store::Journal& journal, std::string_view room, bool force) {
  const auto deadline = std::chrono::steady_clock::now() + claim_deadline;
  for (;;) {
    std::shared_ptr<Claim> claim;
    {
      Desk::Turn turn(desk);
      domain::Ledger& ledger = turn.ledger();
      const domain::Ledger::Room* entry = ledger.find(room);
      if (!entry || !entry->held) return Released::no_assignment;
      if (entry->occupied() && !force) return Released::occupied;
      if (entry->pending) {
        claim = turn.claim_for(room);
      } else {
        if (force) {
          ledger.forget_sessions([&](const std::string& name) { return name == room; });
          turn.disbelieve_reports(room, turn.now().service + turn.options().dead_after);
        }
        ledger.end_assignment(room);
      }
    }
    if (!claim) break;
    if (claim->wait_until(deadline) == Claim::Outcome::late) return Released::storage_unavailable;
  }
  log_info("Released room assignment", {{"room_id", room}, {"force", force}});
  return journal.flush() ? Released::done : Released::storage_unavailable;
}

}  // namespace app
