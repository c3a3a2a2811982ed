// Visits the rooms in use by name, in slices with a pause between them, so that nobody waits long for the lock.
// Any thread that does not hold the desk's lock. Rooms that come in meanwhile may be missed. Nothing fails.
#pragma once

#include <cstddef>
#include <string>

#include "app/desk.h"

namespace app {

// `visit(turn, room)`: a turn's room with its name. It may end that room, and no other.
template <typename Visit>
void for_each_room(Desk& desk, std::size_t per_slice, Visit visit) {
  std::string last;
  for (bool more = true; more; desk.let_others_pass()) {
    Desk::Turn turn(desk);
    const auto& rooms = turn.ledger().rooms();
    auto room = rooms.upper_bound(last);
    for (std::size_t looked = 0; room != rooms.end() && looked < per_slice; ++looked) {
      const auto here = room++;
      last = here->first;
      visit(turn, *here);
    }
    more = room != rooms.end();
  }
}

}  // namespace app
