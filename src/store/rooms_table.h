// The table `rooms`. The connection's thread. What SQLite refuses is thrown as Failure; a row that
// cannot be used, since it was edited by hand, is left out and named in `skipped`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/catalogue.h"
#include "domain/time.h"
#include "store/database.h"

namespace store {

struct RoomRow {
  // What the configuration said when it was last synced; nothing where it said nothing.
  struct Synced {
    std::optional<std::string> name;
    std::optional<domain::RowId> default_gateway_id;
    std::optional<bool> disabled;

    bool operator==(const Synced&) const = default;
  };

  domain::Room room;  // `removed` follows removed_at: read from it, not looked at when written
  std::optional<domain::WallTime> removed_at;
  bool from_config = false;  // did it stand in [[rooms]] when that was last synced?
  std::optional<Synced> synced;

  bool operator==(const RoomRow&) const = default;
};

// All rows by id, removed ones too.
std::vector<RoomRow> read_rooms(Database& database, std::vector<std::string>& skipped,
                                std::vector<domain::RowId>* skipped_ids = nullptr);  // as read_gateways

std::optional<RoomRow> find_room_by_uid(Database& database, const domain::RoomId& gateway_uid);

// Inserts it, or replaces the row with that id. Throws (constraint) if another row bears its uid.
void write_room(Database& database, const RoomRow& row);

}  // namespace store
