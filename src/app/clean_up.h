// The periodic cleaning: silent sessions go, then the assignments of rooms that nobody uses.
// Any thread; one at a time. Works in slices, so that it delays nobody.
#pragma once

#include <cstddef>

#include "app/registry.h"

namespace app {

// Takes sessions for silent that have been so for dead_after: all that the transactions of others have left. Every second or
// so.
void expire_sessions(Registry& registry);

// Returns how many assignments it ended.
std::size_t clean_up(Registry& registry);

// Hands to the journal when which rooms were last used, for the file. Every second or so.
void write_last_used(Registry& registry, store::Journal& journal);

}  // namespace app
