// How the fleet and its engine are shown, from the answer of GET /v2/cluster. Pure; any thread. Whatever comes from
// outside is made printable.
#pragma once

#include <string>

#include "http/json.h"

namespace cli {

// Does this sidecar share?
bool cluster_is_shared(const http::Json& cluster);
// Not to be worried about: all is known, and each member of the engine is well.
bool cluster_is_well(const http::Json& cluster);
// One line without its end: the state, how many sidecars, how many members are well.
std::string cluster_line(const http::Json& cluster);
// State, sidecars and members, with tables.
std::string cluster_tables(const http::Json& cluster);

}  // namespace cli
