#include "domain/occupancy.h"

#include <algorithm>

namespace domain {

bool Occupancy::occupied(std::string_view room, std::optional<GatewayNumber> assigned, ServiceTime now) const {
  const auto found = rooms_.find(room);
  return found != rooms_.end() &&
         std::any_of(found->second.begin(), found->second.end(),
                     [&](const Presence& presence) { return presence.gateway == assigned || is_fresh(presence, now); });
}

}  // namespace domain
