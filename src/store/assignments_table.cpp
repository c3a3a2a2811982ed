#include "store/assignments_table.h"

#include <utility>

#include "domain/id.h"
#include "store/column_time.h"
#include "store/statement.h"

namespace store {

std::vector<domain::Assignment> read_assignments(Database& database, std::vector<std::string>& skipped) {
  Statement select(database,
                   "SELECT room_id, gateway_name, region, assigned_at, last_used_at "
                   "FROM room_server_assignments ORDER BY room_id");
  std::vector<domain::Assignment> rows;
  while (select.step()) {
    const auto assigned_at = column_time(select.text(3));
    const auto last_used_at = column_time(select.text(4));
    domain::Assignment row;
    row.room_id = select.room_id(0);
    row.gateway_name = select.text(1);
    row.region = select.text(2);
    if (!domain::is_valid_id(row.room_id) || !domain::is_valid_id(row.gateway_name)) {
      skipped.push_back(
          "a row of table room_server_assignments has a room_id or gateway_name that cannot be "
          "used; "
          "delete that row");
    } else if (!assigned_at || !last_used_at) {
      skipped.push_back("the row for room " + row.room_id.text() +
                        " in table room_server_assignments has a time that cannot be read; delete "
                        "that row, or write the time as 2026-11-23T03:27:00.123Z");
    } else {
      row.assigned_at = *assigned_at;
      row.last_used_at = *last_used_at;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

void write_assignment(Database& database, const domain::Assignment& assignment) {
  Statement write(database,
                  "INSERT INTO room_server_assignments (room_id, gateway_name, region, "
                  "assigned_at, last_used_at) "
                  "VALUES (?, ?, ?, ?, ?) ON CONFLICT (room_id) DO UPDATE SET "
                  "gateway_name = excluded.gateway_name, region = excluded.region, "
                  "assigned_at = excluded.assigned_at, last_used_at = excluded.last_used_at");
  write.bind(assignment.room_id).bind(assignment.gateway_name).bind(assignment.region);
  write.bind(domain::to_text(assignment.assigned_at));
  write.bind(domain::to_text(assignment.last_used_at));
  write.run_for_row();
}

void touch_assignment(Database& database, const domain::RoomId& room_id, domain::WallTime last_used_at) {
  Statement update(database, "UPDATE room_server_assignments SET last_used_at = ? WHERE room_id = ?");
  update.bind(domain::to_text(last_used_at)).bind(room_id).run();
}

void erase_assignment(Database& database, const domain::RoomId& room_id) {
  Statement erase(database, "DELETE FROM room_server_assignments WHERE room_id = ?");
  erase.bind(room_id).run();
}

}  // namespace store
