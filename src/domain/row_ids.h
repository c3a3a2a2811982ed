// The ids of database rows: which ids a table's rows bear, and which a new one gets: of gateways or of rooms. One thread at a time;
// throws only for memory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "domain/room_id.h"

namespace domain {

// The number of a gateway's or a room's row, from 1; clients know a room by its RoomId instead.
enum class RowId : std::int64_t {};

constexpr std::int64_t integer_of(RowId id) { return static_cast<std::int64_t>(id); }
inline std::string to_text(RowId id) { return std::to_string(integer_of(id)); }

class RowIds {
 public:
  // The other bearer, or null if the id is `bearer`'s from now on. Valid until the next call.
  const std::string* take(RowId id, const std::string& bearer);
  // Gives it the id behind the last, so that a deleted row's is rarely given again; the first gap if there
  // is none behind it.
  RowId acquire_next(const std::string& bearer);

 private:
  std::map<RowId, std::string> bearers_;
};

// The id by which the description's `WHERE id = 2171` finds room 2171, if its uid is such a number.
std::optional<RowId> decimal_row_id(const RoomId& gateway_uid);

}  // namespace domain
