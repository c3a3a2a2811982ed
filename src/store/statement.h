// One use of a prepared statement: bind in order, step, read. Private to store/.
// The connection's thread. What SQLite refuses is thrown as Failure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "domain/room_id.h"
#include "domain/row_ids.h"

namespace SQLite {
class Statement;
}

namespace store {

class Connection;
class Database;

class Statement {
 public:
  // `sql` must be a literal: it is prepared once a connection.
  Statement(Database& database, const char* sql);
  ~Statement();  // resets it, for the next use
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // The next parameter.
  Statement& bind(const std::string& value);
  Statement& bind(std::int64_t value);
  Statement& bind(domain::RowId id) { return bind(integer_of(id)); }
  Statement& bind(const domain::RoomId& room) { return bind(room.text()); }
  Statement& bind(bool value) { return bind(static_cast<std::int64_t>(value)); }
  Statement& bind(const char* value) = delete;  // would become a bool
  template <class Value>
  Statement& bind(const std::optional<Value>& value) {
    return value ? bind(*value) : bind_null();
  }

  // To the next row; false if there is none.
  bool step();
  // To the end; the number of rows changed.
  int run();
  // The same for a row that must be there afterwards: throws Failure (constraint) if none was changed, as a trigger or
  // a conflict clause of others can have it without an error.
  void run_for_row();

  // Columns of the current row, from 0.
  std::string text(int column) const;
  std::int64_t integer(int column) const;
  domain::RowId row_id(int column) const { return domain::RowId{integer(column)}; }
  domain::RoomId room_id(int column) const { return domain::RoomId(text(column)); }
  bool flag(int column) const { return integer(column) != 0; }
  bool is_null(int column) const;
  std::optional<std::string> optional_text(int column) const {
    return is_null(column) ? std::nullopt : std::optional(text(column));
  }
  std::optional<std::int64_t> optional_integer(int column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
  }
  std::optional<domain::RowId> optional_row_id(int column) const {
    return is_null(column) ? std::nullopt : std::optional(row_id(column));
  }
  std::optional<bool> optional_flag(int column) const {
    return is_null(column) ? std::nullopt : std::optional(flag(column));
  }

 private:
  Statement& bind_null();

  Connection& connection_;
  SQLite::Statement& statement_;
  int bound_ = 0;
};

}  // namespace store
