// What the gateways' room lists show: how many participants each room has where. A picture
// that does not change once it is made; any thread. Pure, nothing fails.
//
// Silence empties nothing: the last list of a gateway holds for the rooms that are assigned to it until the
// next one, and before its first lists any of them may be in use. For rooms that are assigned elsewhere only a
// fresh list counts. Neither does a single list empty a room: a room counts as occupied until several in a row lack it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "domain/placement.h"
#include "domain/room_id.h"
#include "domain/time.h"

namespace domain {

class Occupancy {
 public:
  struct Presence {
    GatewayId gateway;
    std::int64_t participants;  // above 0, by its last list that had any
    ServiceTime observed_at;
  };
  using Rooms = std::map<RoomId, std::vector<Presence>>;

  // `fresh_for`: how long a list counts against an assignment to another gateway.
  // `lately`: rooms whose gateway lists them no more, but not for so long that they are sure to be empty.
  // `unobserved`: gateways that are asked and have not given enough lists yet.
  Occupancy(Rooms rooms, Rooms lately, std::set<GatewayId> unobserved, Duration fresh_for)
      : rooms_(std::move(rooms)),
        lately_(std::move(lately)),
        unobserved_(std::move(unobserved)),
        fresh_for_(fresh_for) {}

  const Rooms& rooms() const { return rooms_; }
  const Rooms& lately() const { return lately_; }
  bool is_fresh(const Presence& presence, ServiceTime now) const { return now < presence.observed_at + fresh_for_; }
  // Has the room participants, as far as is known? `assigned`: the gateway that holds it.
  bool occupied(const RoomId& room, std::optional<GatewayId> assigned, ServiceTime now) const;
  bool is_unobserved(GatewayId gateway) const { return unobserved_.count(gateway) > 0; }

 private:
  Rooms rooms_;
  Rooms lately_;
  std::set<GatewayId> unobserved_;
  Duration fresh_for_;
};

}  // namespace domain
