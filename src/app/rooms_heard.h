// What the gateways say of the rooms on them, taken to the desk: rooms with participants count as occupied,
// those without an assignment are adopted where they live, split ones are told of. Any thread, many at once.
// A gateway that says nothing changes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "app/desk.h"

namespace app {

class RoomsHeard {
 public:
  // Participants by room, as clients know it.
  using List = std::map<std::string, std::int64_t>;

  explicit RoomsHeard(Desk& desk) : desk_(desk) {}

  // Whose word counts, and how often they are asked. What others said is forgotten.
  void follow(std::set<std::string> gateways, domain::Duration interval);
  // All rooms on a gateway. Blocks for some turns at the desk.
  void hear(const std::string& gateway, List list);
  // To be called now and then: adopts, and looks for split rooms, if there was news. Blocks for some turns.
  void conclude();

 private:
  struct Said {
    domain::GatewayNumber gateway;
    domain::ServiceTime heard;
    List list;
  };
  // When it was first seen to be split: the lists are not of one instant, so that each must say it again.
  using Suspected = std::map<std::string, domain::ServiceTime>;

  void show();
  void end_emptied_rooms(const std::vector<std::string>& rooms);
  void look_at(Desk::Turn& turn, const std::string& room, Suspected& suspected);
  void tell_healed();

  Desk& desk_;
  std::mutex mutex_;  // taken before the desk's
  std::set<std::string> gateways_;
  domain::Duration interval_{};
  std::map<std::string, Said> said_;
  bool news_ = false;
  Suspected suspected_;
};

}  // namespace app
