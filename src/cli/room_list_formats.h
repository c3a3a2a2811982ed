// The formats of a room list, each read into the same raw rows; room_list_file.cpp judges them.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/room_list_file.h"

namespace cli {

// The fields as texts: "" was not given, nothing could not be read and has been complained of.
struct RawRoom {
  std::size_t line = 0;
  std::string place;
  bool faulty = false;  // something of it has been complained of
  std::optional<std::string> gateway_uid;
  std::optional<std::string> id;
  std::optional<std::string> name;
  std::optional<std::string> default_gateway;
};

struct RawRoomList {
  std::vector<RawRoom> rooms;
  std::vector<PlacedProblem> problems;
};

// A to Z as a to z, and all else as it is.
std::string lower_case(std::string text);

RawRoomList read_room_csv(std::string_view text);
RawRoomList read_room_json(std::string_view text, bool janus_is_default);

}  // namespace cli
