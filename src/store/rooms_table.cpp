#include "store/rooms_table.h"

#include <charconv>
#include <utility>

#include "domain/id.h"
#include "store/column_time.h"
#include "store/failure.h"
#include "store/free_id.h"
#include "store/statement.h"

namespace store {
namespace {

RoomRow row_of(const Statement& select) {
  RoomRow row;
  row.room.id = select.integer(0);
  row.room.name = select.text(1);
  row.room.gateway_uid = select.text(2);
  row.room.default_gateway_id = select.optional_integer(3);
  row.room.disabled = select.flag(4);
  row.removed_at = removal_time(select.optional_text(5));
  row.room.removed = row.removed_at.has_value();
  row.from_config = select.flag(6);
  if (row.from_config) {
    row.synced =
        RoomRow::Synced{select.optional_text(7), select.optional_integer(8), select.optional_flag(9)};
  }
  return row;
}

bool is_taken(Database& database, std::int64_t id) {
  Statement select(database, "SELECT 1 FROM rooms WHERE id = ?");
  return select.bind(id).step();
}

}  // namespace

std::vector<RoomRow> read_rooms(Database& database, std::vector<std::string>& skipped) {
  Statement select(database,
                   "SELECT id, name, gateway_uid, default_gateway_id, disabled, removed_at, "
                   "from_config, synced_name, synced_default_gateway_id, synced_disabled "
                   "FROM rooms ORDER BY id");
  std::vector<RoomRow> rows;
  while (select.step()) {
    RoomRow row = row_of(select);
    if (!domain::is_valid_id(row.room.gateway_uid)) {
      skipped.push_back(
          "the room with id " + std::to_string(row.room.id) +
          " in table rooms has a gateway_uid that cannot be used; change its gateway_uid");
      continue;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<RoomRow> find_room_by_uid(Database& database, const std::string& gateway_uid) {
  Statement select(database,
                   "SELECT id, name, gateway_uid, default_gateway_id, disabled, removed_at, "
                   "from_config, synced_name, synced_default_gateway_id, synced_disabled "
                   "FROM rooms WHERE gateway_uid = ?");
  if (!select.bind(gateway_uid).step()) return std::nullopt;
  return row_of(select);
}

void write_room(Database& database, const RoomRow& row) {
  Statement write(
      database,
      "INSERT INTO rooms (id, name, gateway_uid, default_gateway_id, disabled, removed_at, "
      "from_config, synced_name, synced_default_gateway_id, synced_disabled) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (id) DO UPDATE SET name = excluded.name, gateway_uid = excluded.gateway_uid, "
      "default_gateway_id = excluded.default_gateway_id, disabled = excluded.disabled, "
      "removed_at = excluded.removed_at, from_config = excluded.from_config, "
      "synced_name = excluded.synced_name, "
      "synced_default_gateway_id = excluded.synced_default_gateway_id, "
      "synced_disabled = excluded.synced_disabled");
  const domain::Room& room = row.room;
  write.bind(room.id).bind(room.name).bind(room.gateway_uid).bind(room.default_gateway_id);
  write.bind(room.disabled).bind(text_of(row.removed_at)).bind(row.from_config);
  if (row.synced) {
    write.bind(row.synced->name).bind(row.synced->default_gateway_id).bind(row.synced->disabled);
  } else {
    write.bind_null().bind_null().bind_null();
  }
  write.run();
}

std::int64_t upsert_room_by_uid(Database& database, const RoomRow& row) {
  RoomRow written = row;
  if (const auto known = find_room_by_uid(database, row.room.gateway_uid)) {
    written.room.id = known->room.id;
    written.from_config = known->from_config;
    written.synced = known->synced;
  } else if (written.room.id == 0) {
    written.room.id = room_id_for(database, row.room.gateway_uid);
  } else if (is_taken(database, written.room.id)) {
    // An upsert by id would silently turn the other room into this one.
    throw Failure(Failure::Kind::constraint,
                  "the room id " + std::to_string(written.room.id) + " wished for gateway_uid " +
                      row.room.gateway_uid +
                      " is borne by another room; wish for another id or none");
  }
  write_room(database, written);
  return written.room.id;
}

std::int64_t next_room_id(Database& database) {
  return free_id(database, "SELECT max(id) FROM rooms",
                 "SELECT min(id) + 1 FROM rooms AS r WHERE id > 0 AND NOT EXISTS "
                 "(SELECT 1 FROM rooms WHERE id = r.id + 1)");
}

std::int64_t room_id_for(Database& database, const std::string& gateway_uid) {
  std::int64_t id = 0;
  const char* end = gateway_uid.data() + gateway_uid.size();
  const auto parsed = std::from_chars(gateway_uid.data(), end, id);
  const bool is_decimal =
      parsed.ec == std::errc{} && parsed.ptr == end && std::to_string(id) == gateway_uid;
  if (is_decimal && id > 0 && !is_taken(database, id)) return id;
  return next_room_id(database);
}

}  // namespace store
