#include "store/sessions_table.h"

#include <utility>

#include "domain/id.h"
#include "store/column_time.h"
#include "store/statement.h"

namespace store {

std::vector<domain::Session> read_sessions(Database& database, std::vector<std::string>& skipped) {
  Statement select(database,
                   "SELECT session_id, room_id, reported_gateway, entered_at FROM sessions "
                   "ORDER BY session_id");
  std::vector<domain::Session> rows;
  while (select.step()) {
    domain::Session row;
    row.session_id = select.text(0);
    row.room_id = select.room_id(1);
    row.reported_gateway = select.optional_text(2);
    const auto entered_at = column_time(select.text(3));
    if (!domain::is_valid_id(row.session_id) || !domain::is_valid_id(row.room_id)) {
      skipped.push_back(
          "a row of table sessions has a session_id or room_id that cannot be used; delete that "
          "row");
    } else if (!entered_at) {
      skipped.push_back("the row for session " + row.session_id +
                        " in table sessions has a time that cannot be read; delete that row");
    } else {
      row.entered_at = *entered_at;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

void write_session(Database& database, const domain::Session& session) {
  Statement write(database,
                  "INSERT INTO sessions (session_id, room_id, reported_gateway, entered_at) "
                  "VALUES (?, ?, ?, ?) ON CONFLICT (session_id) DO UPDATE SET "
                  "room_id = excluded.room_id, reported_gateway = excluded.reported_gateway, "
                  "entered_at = excluded.entered_at");
  write.bind(session.session_id).bind(session.room_id).bind(session.reported_gateway);
  write.bind(domain::to_text(session.entered_at));
  write.run_for_row();
}

void erase_session(Database& database, const std::string& session_id) {
  Statement erase(database, "DELETE FROM sessions WHERE session_id = ?");
  erase.bind(session_id).run();
}

void erase_all_sessions(Database& database) {
  Statement erase(database, "DELETE FROM sessions");
  erase.run();
}

}  // namespace store
