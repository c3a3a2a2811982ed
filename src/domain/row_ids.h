// Which ids a table's rows bear, and which a new one gets: of gateways or of rooms. One thread at a time;
// throws only for memory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace domain {

class RowIds {
 public:
  // The other bearer, or null if the id is `bearer`'s from now on. Valid until the next call.
  const std::string* take(std::int64_t id, const std::string& bearer);
  // Gives it the id behind the last, so that a deleted row's is rarely given again; the first gap if there
  // is none behind it.
  std::int64_t acquire_next(const std::string& bearer);

 private:
  std::map<std::int64_t, std::string> bearers_;
};

// The id by which the description's `WHERE id = 2171` finds room 2171, if its uid is such a number.
std::optional<std::int64_t> decimal_row_id(const std::string& gateway_uid);

}  // namespace domain
