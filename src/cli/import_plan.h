// What an import would write: the rooms of a list against those of the database.
// Pure; any thread. It fails by listing every problem; then nothing is to be written.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/room_list_file.h"
#include "store/gateways_table.h"
#include "store/rooms_table.h"

namespace cli {

struct ImportPlan {
  std::vector<PlacedProblem> problems;  // in the order of the entries
  std::vector<std::string> warnings;

  // To be written; complete rows.
  std::vector<store::GatewayRow> gateways;
  std::vector<store::RoomRow> rooms;

  std::size_t added = 0;
  std::size_t updated = 0;
  std::size_t unchanged = 0;
};

// Expects entries that parse_room_list found no fault with.
ImportPlan plan_import(const std::vector<RoomEntry>& entries, const std::vector<store::GatewayRow>& gateways,
                       const std::vector<store::RoomRow>& rooms, bool create_gateways);

}  // namespace cli
