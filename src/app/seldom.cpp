#include "app/seldom.h"

namespace app {
namespace {

constexpr std::chrono::minutes between_lines{1};

}  // namespace

bool Seldom::is_due() {
  const auto now = Clock::now().time_since_epoch();
  Clock::duration next = next_;
  if (now >= next && next_.compare_exchange_strong(next, now + between_lines)) return true;
  count_left_out(message_);
  return false;
}

void Seldom::warn(Fields fields) {
  if (is_due()) log_warn(message_, fields);
}

}  // namespace app
