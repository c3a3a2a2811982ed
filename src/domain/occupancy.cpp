#include "domain/occupancy.h"

#include <algorithm>

namespace domain {

bool Occupancy::occupied(const RoomId& room, std::optional<GatewayId> assigned, ServiceTime now) const {
  const auto is_in = [&](const Rooms& rooms) {
    const auto found = rooms.find(room);
    return found != rooms.end() &&
           std::any_of(found->second.begin(), found->second.end(), [&](const Presence& presence) {
             return presence.gateway == assigned || is_fresh(presence, now);
           });
  };
  return is_in(rooms_) || is_in(lately_);
}

}  // namespace domain
