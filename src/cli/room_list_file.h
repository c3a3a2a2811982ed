// Reads the file that `rooms import` takes: CSV with a header, a JSON array of objects, or gxydb's
// /groups answer. Pure; any thread. Every problem of the file comes back, not only the first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

struct RoomEntry {
  std::string place;  // "line 3", or in JSON "line 7 (element 2)"
  std::string gateway_uid;
  std::optional<std::int64_t> id;
  std::optional<std::string> name;  // nothing: a known room keeps its name
  std::string default_gateway;
};

struct RoomList {
  std::vector<RoomEntry> entries;     // to be used only if there are no problems
  std::vector<std::string> problems;  // each with its line, in the order of the file
};

// `janus_is_default`: take the `janus` of gxydb's answer for the default gateway. It may be today's
// assignment instead, so somebody has to say so.
RoomList parse_room_list(std::string_view text, bool janus_is_default);

}  // namespace cli
