// A generated day of lessons: the users that enter and leave rooms, and the gateways that die and return. The same
// day for the same seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "domain/room_id.h"

namespace simulator {

inline constexpr int gateways = 12;
inline constexpr int capacity = 400;  // users, each

// In seconds since the day began.
inline constexpr int lessons[] = {1800, 5400, 9000, 12600};
inline constexpr int end_of_day = 16200;

struct Event {
  enum class Kind { enter, leave, die, come_back };
  int time;
  Kind kind;
  domain::RoomId room = {};  // of a user
  std::string user = {};
  std::uint32_t gateway = 0;  // that dies or comes back
};

std::vector<Event> make_day(std::uint64_t seed);  // by time

}  // namespace simulator
