#include "store/statement.h"

#include "store/connection.h"
#include "store/database.h"
#include "store/failure.h"

namespace store {

Statement::Statement(Database& database, const char* sql)
    : connection_(database.connection()), statement_(connection_.prepared(sql)) {}

Statement::~Statement() {
  // The code of a reset is that of the last step, which step() has reported.
  statement_.tryReset();
}

Statement& Statement::bind(const std::string& value) {
  translated(connection_.path(), [&] { statement_.bind(++bound_, value); });
  return *this;
}

Statement& Statement::bind(std::int64_t value) {
  translated(connection_.path(), [&] { statement_.bind(++bound_, value); });
  return *this;
}

Statement& Statement::bind_null() {
  translated(connection_.path(), [&] { statement_.bind(++bound_); });
  return *this;
}

bool Statement::step() {
  return translated(connection_.path(), [&] { return statement_.executeStep(); });
}

int Statement::run() {
  while (step()) {
  }
  return connection_.changed_rows();
}

void Statement::run_for_row() {
  if (run() > 0) return;
  const std::string reason = "it was left out without an error, by a trigger or a constraint that is not ours";
  throw Failure(Failure::Kind::constraint,
                "a row was refused by " + connection_.path() + ": " + reason + "; remove that", reason);
}

std::string Statement::text(int column) const { return statement_.getColumn(column).getString(); }

std::int64_t Statement::integer(int column) const { return statement_.getColumn(column).getInt64(); }

bool Statement::is_null(int column) const { return statement_.isColumnNull(column); }

}  // namespace store
