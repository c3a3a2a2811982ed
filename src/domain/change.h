// What has changed in memory and is to be written: to the database, row by row. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "domain/assignment.h"
#include "domain/room_id.h"

namespace domain {

struct FailoverGone {
  std::string gateway_name;
};
struct AssignmentGone {
  RoomId room_id;
};
struct SessionGone {
  std::string session_id;
};
// A single fact about the file, by its name (table `meta`).
struct Fact {
  std::string name, value;
};

// How a sidecar uses a room, as announced to the others. `kept`: somebody may be on the way; `live`: has sessions.
enum class Use { none, kept, live };
struct RoomUse {
  RoomId room_id;
  Use use;
  std::int64_t users = 0;  // live sessions here
  bool is_first = false;   // nothing has been announced of it before
};

using Change = std::variant<Assignment, AssignmentGone, Session, SessionGone, Failover, FailoverGone, Fact>;

}  // namespace domain
