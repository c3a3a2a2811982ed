// Moves rooms off gateways that have been down for failover.wait, or that an operator empties: each once,
// by a durable claim. Not a timer that fires once: it looks at what is, and goes on where it was
// interrupted, also after a restart. One thread at a time. Blocks for commits.
#pragma once

#include <functional>

#include "app/registry.h"

namespace app {

void fail_over(Registry& registry, const std::function<bool()>& is_stopping = {});

}  // namespace app
