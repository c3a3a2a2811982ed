#include "app/journal_claims.h"

#include <utility>

#include "store/assignments_table.h"
#include "store/failure.h"
#include "store/journal.h"

namespace app {

void JournalClaims::claim(ClaimRequest request, Settled settled) {
  Grant grant{ClaimOutcome::won, request.row};
  journal_.write_assignment(std::move(request.row), [grant = std::move(grant), settled = std::move(settled)](
                                                        bool committed) { settled(committed ? grant : Grant{}); });
}

Claims::Released JournalClaims::release(const domain::RoomId& room, bool, Deadline) {
  try {
    journal_.run([&](store::Database& database) { store::erase_assignment(database, room); });
  } catch (const store::Failure&) {
    return Released::unavailable;
  }
  return Released::done;
}

}  // namespace app
