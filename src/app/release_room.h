// The operator's release: a room's assignment is forgotten, so that the next user decides anew.
// Any thread. Blocks until it is in the file.
#pragma once

#include "app/registry.h"

namespace app {

enum class Released { done, no_assignment, occupied, storage_unavailable };

// `force`: also with live sessions, which are forgotten; for dead_after the `janus` of reports is ignored
// for the room, since users who are still there would bring it back.
Released release_room(Registry& registry, const domain::RoomId& room, bool force);

}  // namespace app
