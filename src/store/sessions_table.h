// The table `sessions`. The connection's thread. What SQLite refuses is thrown as Failure; a row
// that cannot be used, since it was edited by hand, is left out and named in `skipped`.
#pragma once

#include <string>
#include <vector>

#include "domain/assignment.h"
#include "store/database.h"

namespace store {

// Bytewise by session.
std::vector<domain::Session> read_sessions(Database& database, std::vector<std::string>& skipped);
// Inserts it, or replaces the row with that id.
void write_session(Database& database, const domain::Session& session);
// Without effect if there is no such row.
void erase_session(Database& database, const std::string& session_id);
void erase_all_sessions(Database& database);

}  // namespace store
