// How the fleet and its engine are shown, from the answer of GET /v2/cluster. Pure; any thread. Whatever comes from
// outside is made printable.
#pragma once

#include <string>

#include "json/value.h"

namespace cli {

// Does this sidecar share?
bool cluster_is_shared(const json::Value& cluster);
// Not to be worried about: all is known, and each member of the engine is well.
bool cluster_is_well(const json::Value& cluster);
// One line without its end: the state, how many sidecars, how many members are well.
std::string cluster_line(const json::Value& cluster);
// State, sidecars and members, with tables.
std::string cluster_tables(const json::Value& cluster);

}  // namespace cli
