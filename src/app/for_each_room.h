// Visits the rooms in use by name, in slices with a pause between them, so that nobody waits long for the lock.
// Any thread that does not hold the registry's lock. Rooms that come in meanwhile may be missed. Nothing fails.
#pragma once

#include <cstddef>

#include "app/registry.h"

namespace app {

// `visit(scope, room)`: a room in that transaction or view, with its name. It may end that room, and no other.
template <typename Scope = Registry::Transaction, typename Visit>
void for_each_room(Registry& registry, std::size_t per_slice, Visit visit) {
  domain::RoomId last;
  for (bool more = true; more; registry.pause_between_slices()) {
    Scope scope(registry);
    const auto& rooms = scope.ledger().rooms();
    auto room = rooms.upper_bound(last);
    for (std::size_t looked = 0; room != rooms.end() && looked < per_slice; ++looked) {
      const auto here = room++;
      last = here->first;
      visit(scope, *here);
    }
    more = room != rooms.end();
  }
}

}  // namespace app
