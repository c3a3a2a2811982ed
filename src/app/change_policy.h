// Puts new settings or a new catalogue in force: mode and lists change together. With a change of mode
// the live rooms are carried over. Any thread; one at a time (app/catalogue_keeper.h sees to that).
#pragma once

#include <memory>
#include <vector>

#include "app/registry.h"

namespace app {

// Rooms that are no longer admitted lose their sessions and, in scale mode, their assignment.
// When scale mode begins each occupied room gets an assignment where its users are; the claims are returned, under way,
// and requests for such a room wait for them. The rooms are seen to in slices, one that is asked for at once.
std::vector<std::shared_ptr<Claim>> change_policy(Registry& registry, const domain::Options& options,
                                                  std::shared_ptr<const domain::Catalogue> catalogue);

// While scale mode begins: does for the room what is done for all of them, before anything is decided for it.
void catch_up_with_scale(Registry::Transaction& transaction, const domain::RoomId& room);

}  // namespace app
