// The claims that are not settled yet, by room: a second request for a room waits for the first one's claim. Under the
// registry's lock; nothing fails.
#pragma once

#include <cassert>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "app/claim.h"

namespace app {

class ClaimsInFlight {
 public:
  // That of a room that is pending.
  std::shared_ptr<Claim> require(std::string_view room) const {
    const auto it = by_room_.find(std::string(room));
    assert(it != by_room_.end());
    return it->second;
  }
  void add(const std::string& room, std::shared_ptr<Claim> claim) { by_room_.emplace(room, std::move(claim)); }
  void remove(const std::string& room) { by_room_.erase(room); }

 private:
  std::unordered_map<std::string, std::shared_ptr<Claim>> by_room_;
};

}  // namespace app
