// The claims that are not settled yet, by room: a second request for a room waits for the first one's claim. Under the
// registry's lock; nothing fails.
#pragma once

#include <cassert>
#include <memory>
#include <unordered_map>

#include "app/claim.h"
#include "domain/room_id.h"

namespace app {

class ClaimsInFlight {
 public:
  // That of a room that is pending.
  std::shared_ptr<Claim> require(const domain::RoomId& room) const {
    const auto it = by_room_.find(room);
    assert(it != by_room_.end());
    return it->second;
  }
  void add(const domain::RoomId& room, std::shared_ptr<Claim> claim) { by_room_.emplace(room, std::move(claim)); }
  void remove(const domain::RoomId& room) { by_room_.erase(room); }

 private:
  std::unordered_map<domain::RoomId, std::shared_ptr<Claim>> by_room_;
};

}  // namespace app
