// Takes the gateways' room lists to the registry: rooms with participants count as occupied,
// those without an assignment are adopted where they live, split ones are logged.
// A gateway that gives no list changes nothing, and a room ends only after as many lists in a row without
// participants as health.fall: a gateway that has just restarted may give a list that is not complete. Rooms are adopted
// only as far as their participants are within the gateway's capacity: a gateway's list must not fill the ledger.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/registry.h"
#include "locks/mutex.h"

namespace app {

// Where a room has participants: by fresh lists; once it is known to be split, by the last lists of all
// gateways that are not down.
std::vector<domain::Occupancy::Presence> presences_of(const Registry::View& view, const domain::RoomId& room);

class RoomLists {
 public:
  // Participants by room, as clients know it.
  using List = std::map<domain::RoomId, std::int64_t>;

  explicit RoomLists(Registry& registry) : registry_(registry) {}

  // The gateways whose lists count, and how often they are asked. Others' lists are forgotten. Any thread.
  void follow(const std::set<std::string>& gateways, domain::Duration interval);
  // All rooms on a gateway. Any thread; does not wait for the registry.
  void observe(const std::string& gateway, List list);
  // To be called now and then, from one thread: takes new lists to the registry, ends rooms that became empty,
  // adopts, and looks for split rooms. Blocks for some transactions.
  void evaluate();

 private:
  struct Missed {
    std::int64_t participants;  // by the last list that had any
    std::int64_t lists;         // in a row without
  };
  struct GatewayReport {
    std::shared_ptr<const List> list;  // none: nothing yet
    std::map<domain::RoomId, Missed> missed = {};
    std::int64_t lists = 0;  // since it is followed
    bool is_new = true;
    domain::ServiceTime observed_at{};
  };
  using Latest = std::map<std::string, GatewayReport>;
  // When it was first seen to be split: the lists are not of one instant, so that each must show it again.
  using Suspected = std::map<domain::RoomId, domain::ServiceTime>;

  void forget_emptied(std::int64_t fall) REQUIRES(mutex_);
  void show(const Latest& latest, domain::Duration interval, std::int64_t fall);
  void end_emptied_rooms();
  void look_at(Registry::Transaction& transaction, const domain::RoomId& room, Suspected& suspected);
  void end_healed();
  // Counts a room that the gateway lists; is it within the gateway's capacity, with those that were counted before?
  bool is_within_capacity(const Registry::View& view, const domain::Occupancy::Presence& presence);
  void log_left_out();

  Registry& registry_;
  locks::Mutex mutex_;
  Latest latest_ GUARDED_BY(mutex_);
  domain::Duration interval_ GUARDED_BY(mutex_){};
  bool news_ GUARDED_BY(mutex_) = false;
  // The evaluating thread's own.
  std::vector<domain::RoomId> occupied_;  // by the last picture
  Suspected suspected_;
  std::map<domain::GatewayId, std::int64_t> listed_;    // participants, by this picture
  std::map<domain::GatewayId, std::int64_t> left_out_;  // rooms that were not adopted
  std::set<domain::GatewayId> logged_left_out_;
};

}  // namespace app
