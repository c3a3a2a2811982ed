#include "logging/rate_limit.h"

#include <algorithm>
#include <utility>

namespace logging {

bool RateLimit::takes(std::string_view event, Clock::time_point now, double most) {
  const locks::MutexLock lock(mutex_);
  Event& seen = known(event, most);
  const double since = std::chrono::duration<double>(now - seen.last).count();
  seen.allowance = std::min(most, seen.allowance + std::max(since, 0.0) * a_second);
  seen.last = now;
  if (seen.allowance < 1) {
    ++seen.left_out;
    return false;
  }
  seen.allowance -= 1;
  return true;
}

void RateLimit::count(std::string_view event) {
  const locks::MutexLock lock(mutex_);
  ++known(event).left_out;
}

RateLimit::Event& RateLimit::known(std::string_view event, double most) {
  const auto it = events_.find(event);
  return it != events_.end() ? it->second : events_.emplace(event, Event{most}).first->second;
}

std::vector<RateLimit::LeftOut> RateLimit::left_out(Clock::time_point now) {
  std::vector<LeftOut> result;
  const locks::MutexLock lock(mutex_);
  for (auto& [name, event] : events_) {
    if (event.left_out == 0 || (event.reported_at != Clock::time_point{} && now < event.reported_at + reported_every))
      continue;
    event.reported_at = now;
    result.push_back({name, std::exchange(event.left_out, 0)});
  }
  return result;
}

std::vector<RateLimit::LeftOut> RateLimit::all_left_out() {
  std::vector<LeftOut> result;
  const locks::MutexLock lock(mutex_);
  for (auto& [name, event] : events_) {
    if (event.left_out > 0) result.push_back({name, std::exchange(event.left_out, 0)});
  }
  return result;
}

}  // namespace logging
