#include "domain/row_ids.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace domain {

const std::string* RowIds::take(std::int64_t id, const std::string& bearer) {
  const auto [found, is_free] = bearers_.try_emplace(id, bearer);
  return is_free || found->second == bearer ? nullptr : &found->second;
}

std::int64_t RowIds::acquire_next(const std::string& bearer) {
  const auto last = bearers_.empty() ? 0 : std::max<std::int64_t>(bearers_.rbegin()->first, 0);
  std::int64_t id = 1;
  if (last < std::numeric_limits<std::int64_t>::max()) {
    id = last + 1;
  } else {
    while (bearers_.count(id) > 0) ++id;
  }
  bearers_.emplace(id, bearer);
  return id;
}

std::optional<std::int64_t> decimal_row_id(const std::string& gateway_uid) {
  std::int64_t value = 0;
  const char* end = gateway_uid.data() + gateway_uid.size();
  const auto [rest, error] = std::from_chars(gateway_uid.data(), end, value);
  if (error != std::errc{} || rest != end || value < 1) return std::nullopt;
  return std::to_string(value) == gateway_uid ? std::optional(value) : std::nullopt;
}

}  // namespace domain
