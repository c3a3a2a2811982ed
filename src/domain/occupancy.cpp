#include "domain/occupancy.h"

#include <algorithm>
#include <iterator>

namespace domain {

bool Occupancy::occupied(std::string_view room, std::optional<GatewayNumber> assigned, ServiceTime now) const {
  const auto found = rooms_.find(room);
  return found != rooms_.end() &&
         std::any_of(found->second.begin(), found->second.end(), [&](const Presence& presence) {
           return presence.gateway == assigned || is_fresh(presence, now);
         });
}

std::vector<Occupancy::Presence> Occupancy::fresh(std::string_view room, ServiceTime now) const {
  std::vector<Presence> result;
  if (const auto found = rooms_.find(room); found != rooms_.end()) {
    std::copy_if(found->second.begin(), found->second.end(), std::back_inserter(result),
                 [&](const Presence& presence) { return is_fresh(presence, now); });
  }
  return result;
}

}  // namespace domain
