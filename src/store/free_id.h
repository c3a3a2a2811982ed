// An id that no row of a table bears. Private to store/. The connection's thread; throws Failure.
#pragma once

#include <cstdint>
#include <limits>

#include "store/database.h"
#include "store/statement.h"

namespace store {

// One above the highest, so that the id of a deleted row is rarely given again. `first_gap` serves
// when somebody has taken the highest id that there is.
inline std::int64_t free_id(Database& database, const char* highest, const char* first_gap) {
  Statement select_highest(database, highest);
  select_highest.step();
  const std::int64_t id = select_highest.integer(0);  // 0 for NULL
  if (id < 0) return 1;
  if (id < std::numeric_limits<std::int64_t>::max()) return id + 1;
  Statement select_gap(database, first_gap);
  select_gap.step();
  return select_gap.integer(0);
}

}  // namespace store
