// The table `room_server_assignments`. The connection's thread. What SQLite refuses is thrown as
// Failure; a row that cannot be used, since it was edited by hand, is left out and named in
// `skipped`.
#pragma once

#include <string>
#include <vector>

#include "domain/assignment.h"
#include "store/database.h"

namespace store {

// Bytewise by room.
std::vector<domain::Assignment> read_assignments(Database& database, std::vector<std::string>& skipped);
// Inserts it, or replaces the room's row.
void write_assignment(Database& database, const domain::Assignment& assignment);
// Without effect if the room has no row.
void touch_assignment(Database& database, const domain::RoomId& room_id, domain::WallTime last_used_at);
// Without effect if the room has no row.
void erase_assignment(Database& database, const domain::RoomId& room_id);

}  // namespace store
