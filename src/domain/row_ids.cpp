#include "domain/row_ids.h"

#include <algorithm>
#include <limits>

#include "domain/number.h"

namespace domain {

const std::string* RowIds::take(RowId id, const std::string& bearer) {
  const auto [found, is_free] = bearers_.try_emplace(id, bearer);
  return is_free || found->second == bearer ? nullptr : &found->second;
}

RowId RowIds::acquire_next(const std::string& bearer) {
  const auto last = bearers_.empty() ? 0 : std::max<std::int64_t>(integer_of(bearers_.rbegin()->first), 0);
  std::int64_t id = 1;
  if (last < std::numeric_limits<std::int64_t>::max()) {
    id = last + 1;
  } else {
    while (bearers_.count(RowId{id}) > 0) ++id;
  }
  return bearers_.emplace(RowId{id}, bearer).first->first;
}

std::optional<RowId> decimal_row_id(const RoomId& gateway_uid) {
  const auto value = number_from<std::int64_t>(gateway_uid.text());
  if (!value || *value < 1 || std::to_string(*value) != gateway_uid.text()) return std::nullopt;
  return RowId{*value};
}

}  // namespace domain
