// What is remembered of a room in use, in the form that the database keeps.
#pragma once

#include <optional>
#include <string>

#include "domain/room_id.h"
#include "domain/time.h"

namespace domain {

struct Assignment {
  RoomId room_id;  // the Janus room id
  std::string gateway_name;
  std::string region;  // the country code as logged, "pinned", or empty
  WallTime assigned_at{};
  WallTime last_used_at{};

  bool operator==(const Assignment&) const = default;
};

// Rooms are being moved away from a gateway.
struct Failover {
  std::string gateway_name;
  std::optional<std::string> standby;  // which takes all of them; else each room is placed anew

  bool operator==(const Failover&) const = default;
};

struct Session {
  std::string session_id;
  RoomId room_id;
  std::optional<std::string> reported_gateway;  // the `janus` of its last report
  WallTime entered_at{};

  bool operator==(const Session&) const = default;
};

}  // namespace domain
