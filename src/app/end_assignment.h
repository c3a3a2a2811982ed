// Ends assignments that nobody here needs any more. In the caller's transaction; with a shared store the end is found
// out later, by another thread. Nothing fails.
#pragma once

#include "app/registry.h"

namespace app {

// That of a room that is not used here any more. Counts and logs it.
Removal end_if_unused(Registry::Transaction& transaction, const domain::RoomId& room, RemovedBy by);
// In any case, as for a room that is no longer admitted. Counts and logs it.
Removal end_assignment(Registry::Transaction& transaction, const domain::RoomId& room, RemovedBy by);

}  // namespace app
