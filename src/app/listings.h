// What operators and programs look at: gateways, rooms, assignments as they are now. Any thread; a page
// at a time, so that nobody waits for a long list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/registry.h"

namespace app {

struct GatewayListing {
  std::string name, type;
  std::optional<std::string> url;
  domain::GatewayState state;
  bool available, disabled, draining;
  std::vector<std::string> regions;
  std::int64_t rooms, users, load, capacity;
};
std::vector<GatewayListing> list_gateways(
    Registry& registry);  // by id; of removed ones, and last of those without a row, such as have rooms

struct RoomListing {
  domain::RoomId room;
  std::optional<std::string> name, default_gateway, janus;
  std::size_t users = 0;
  std::optional<domain::WallTime> assigned_at, last_used_at;
};
struct AssignmentListing {
  domain::Assignment assignment;
  std::size_t users = 0;
};

// A room whose participants, as the gateways count them or sessions report, are not all on the gateway that it is
// answered with.
struct SplitListing {
  struct Part {
    std::string gateway;
    std::int64_t participants;
  };
  domain::RoomId room;
  std::optional<std::string> janus;  // the gateway it is answered with
  std::vector<Part> parts;           // by gateways' names
  domain::WallTime since;
};
std::vector<SplitListing> list_splits(Registry& registry);

template <typename Listing>
struct Page {
  std::vector<Listing> items;
  bool more = false;
};

// Bytewise by room id, `after` exclusive.
Page<RoomListing> list_rooms(Registry& registry, const domain::RoomId& after, std::size_t limit);
std::optional<RoomListing> find_room(Registry& registry, const domain::RoomId& room);
Page<AssignmentListing> list_assignments(Registry& registry, const domain::RoomId& after, std::size_t limit,
                                         std::optional<std::string_view> gateway);

}  // namespace app
