// The first sidecar that moves rooms off a gateway names the standby: else each sidecar would take its own.
#pragma once

#include <deque>

#include "cluster/command.h"

namespace cluster {

// Names the standbys of the claims in `batch` that move rooms. Claims for another standby leave the batch, and are
// decided anew. Blocks for one attempt at most; without the state's lock.
void name_standbys(std::deque<Command>& batch, etcd::Client& client, SharedState& state, Writer& writer);

}  // namespace cluster
