// A WARN of what clients may cause without end: at most one a minute is written, and the log reports how many were left
// out. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <string_view>

#include "logging/log.h"

namespace logging {

class RateLimitedWarning {
 public:
  // `message` is a literal.
  explicit RateLimitedWarning(std::string_view message) : message_(message) {}

  void warn(Fields fields);
  // Where the fields cost something: whether the next line may be written. If not, it is counted as left out.
  bool is_due();
  std::string_view message() const { return message_; }

 private:
  using Clock = std::chrono::steady_clock;

  const std::string_view message_;
  std::atomic<Clock::duration> next_{Clock::duration::min()};  // since the clock's epoch
};

}  // namespace logging
