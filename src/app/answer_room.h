// POST /v2/room_server: which gateway serves this room? And explain, which reports what would be answered.
// Any thread. Blocks for at most Claims::patience(), and only while a new assignment becomes durable.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/registry.h"

namespace app {

struct Refused {
  domain::Refusal refusal;
  bool is_pinned = false;      // and its pin's gateway cannot take it
  Candidates in_the_way = {};  // why each gateway does not take it, if that was looked at
};

struct RoomAnswer {
  std::string gateway;
  domain::Reason reason;
};

// `country`: as the client sent it.
std::variant<RoomAnswer, Refused> answer_room(Registry& registry, const domain::RoomId& room, std::string_view country);

struct Explanation {
  domain::Decision decision;
  std::string gateway;  // or ""
  std::vector<domain::Verdict> candidates;
};
// No side effect.
Explanation explain_room(Registry& registry, const domain::RoomId& room, std::string_view country);

}  // namespace app
