// Puts new settings or a new catalogue in force: mode and lists change together. With a change of mode
// the live rooms are carried over. Any thread; one at a time (app/catalogue_keeper.h sees to that).
#pragma once

#include <memory>
#include <vector>

#include "app/desk.h"

namespace app {

// Rooms that are no longer admitted lose their sessions and, in scale mode, their assignment.
// When scale mode begins each occupied room first gets an assignment where its users are; the claims are
// returned, under way, and whoever asks for such a room waits for them.
std::vector<std::shared_ptr<Claim>> change_policy(Desk& desk, const domain::Options& options,
                                                  std::shared_ptr<const domain::Catalogue> catalogue);

}  // namespace app
