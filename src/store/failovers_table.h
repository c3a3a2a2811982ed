// The table `failovers`. The connection's thread. What SQLite refuses is thrown as Failure; a row that
// cannot be used, since it was edited by hand, is left out and named in `skipped`.
#pragma once

#include <string>
#include <vector>

#include "domain/assignment.h"
#include "store/database.h"

namespace store {

std::vector<domain::Failover> read_failovers(Database& database, std::vector<std::string>& skipped);
// Inserts it, or replaces the gateway's row.
void write_failover(Database& database, const domain::Failover& failover);
// Without effect if the gateway has no row.
void erase_failover(Database& database, const std::string& gateway_name);

}  // namespace store
