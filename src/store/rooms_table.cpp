#include "store/rooms_table.h"

#include <utility>

#include "domain/id.h"
#include "store/column_time.h"
#include "store/failure.h"
#include "store/statement.h"

namespace store {
namespace {

RoomRow row_of(const Statement& select) {
  RoomRow row;
  row.room.id = select.row_id(0);
  row.room.name = select.text(1);
  row.room.gateway_uid = select.room_id(2);
  row.room.default_gateway_id = select.optional_row_id(3);
  row.room.disabled = select.flag(4);
  row.removed_at = removal_time(select.optional_text(5));
  row.room.removed = row.removed_at.has_value();
  row.from_config = select.flag(6);
  if (row.from_config) {
    row.synced = RoomRow::Synced{select.optional_text(7), select.optional_row_id(8), select.optional_flag(9)};
  }
  return row;
}

}  // namespace

std::vector<RoomRow> read_rooms(Database& database, std::vector<std::string>& skipped,
                                std::vector<domain::RowId>* skipped_ids) {
  Statement select(database,
                   "SELECT id, name, gateway_uid, default_gateway_id, disabled, removed_at, "
                   "from_config, synced_name, synced_default_gateway_id, synced_disabled "
                   "FROM rooms ORDER BY id");
  std::vector<RoomRow> rows;
  while (select.step()) {
    RoomRow row = row_of(select);
    if (!domain::is_valid_id(row.room.gateway_uid)) {
      skipped.push_back("the room with id " + to_text(row.room.id) +
                        " in table rooms has a gateway_uid that cannot be used; change its gateway_uid");
      if (skipped_ids) skipped_ids->push_back(row.room.id);
      continue;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<RoomRow> find_room_by_uid(Database& database, const domain::RoomId& gateway_uid) {
  Statement select(database,
                   "SELECT id, name, gateway_uid, default_gateway_id, disabled, removed_at, "
                   "from_config, synced_name, synced_default_gateway_id, synced_disabled "
                   "FROM rooms WHERE gateway_uid = ?");
  if (!select.bind(gateway_uid).step()) return std::nullopt;
  return row_of(select);
}

void write_room(Database& database, const RoomRow& row) {
  Statement write(database,
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
  const auto synced = row.synced.value_or(RoomRow::Synced{});
  write.bind(synced.name).bind(synced.default_gateway_id).bind(synced.disabled);
  write.run_for_row();
}

}  // namespace store
