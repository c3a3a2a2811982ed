// The table `rooms`. The connection's thread. What SQLite refuses is thrown as Failure; a row that
// cannot be used, since it was edited by hand, is left out and told in `skipped`.
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
    std::optional<std::int64_t> default_gateway_id;
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
std::vector<RoomRow> read_rooms(Database& database, std::vector<std::string>& skipped);

std::optional<RoomRow> find_room_by_uid(Database& database, const std::string& gateway_uid);

// Inserts it, or replaces the row with that id. Throws (constraint) if another row bears its uid.
void write_room(Database& database, const RoomRow& row);

// For import: updates name, default gateway, disabled and removed_at of the row with that uid, and
// leaves its id and what was synced; else inserts it, with the wished id unless that is 0. The id.
std::int64_t upsert_room_by_uid(Database& database, const RoomRow& row);

// An id that no row bears.
std::int64_t next_room_id(Database& database);
// The decimal `gateway_uid` if that is a free id, so that `WHERE id = 2171` finds room 2171; else
// the next one.
std::int64_t room_id_for(Database& database, const std::string& gateway_uid);

}  // namespace store
