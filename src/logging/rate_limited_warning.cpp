#include "logging/rate_limited_warning.h"

namespace logging {
namespace {

constexpr std::chrono::minutes between_lines{1};

}  // namespace

bool RateLimitedWarning::is_due() {
  const auto now = Clock::now().time_since_epoch();
  Clock::duration next = next_;
  if (now >= next && next_.compare_exchange_strong(next, now + between_lines)) return true;
  count_left_out(message_);
  return false;
}

void RateLimitedWarning::warn(Fields fields) {
  if (is_due()) logging::warn(message_, fields);
}

}  // namespace logging
