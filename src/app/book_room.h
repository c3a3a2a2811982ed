// Books a gateway for a room and claims it; once that is settled, the ledger, the log, the counts and those who wait
// follow. In the caller's transaction; the claim is settled by another thread. Nothing fails.
#pragma once

#include <memory>

#include "app/registry.h"

namespace app {

// Books what was decided and asks for it; returns the claim to wait for once the transaction is over.
// `by`: the cause, unless the room is moved off a gateway that is being evacuated.
std::shared_ptr<Claim> book_room(Registry::Transaction& transaction, const domain::Question& question,
                                 const domain::Decision& decision, AssignedBy by);

}  // namespace app
