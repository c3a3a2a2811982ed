// Reads the file that `rooms import` takes: CSV with a header, a JSON array of objects, or gxydb's
// /groups answer. Pure; any thread. Every problem of the file comes back, not only the first.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/room_id.h"
#include "domain/row_ids.h"

namespace cli {

struct RoomEntry {
  std::string place;  // "line 3", or in JSON "line 7 (element 2)"
  domain::RoomId gateway_uid;
  std::optional<domain::RowId> id;
  std::optional<std::string> name;  // nothing: a known room keeps its name
  std::string default_gateway;      // empty: none
  std::size_t line = 0;             // of the place; 0: not known
};

struct PlacedProblem {
  std::size_t line = 0;
  std::string text;  // with its place
};

struct RoomList {
  std::vector<RoomEntry> entries;       // without those that have problems
  std::vector<PlacedProblem> problems;  // in the order of the file; then nothing is to be imported
};

// `janus_is_default`: take the `janus` of gxydb's answer for the default gateway. It may be today's
// assignment instead, so somebody has to say so.
RoomList parse_room_list(std::string_view text, bool janus_is_default);

}  // namespace cli
