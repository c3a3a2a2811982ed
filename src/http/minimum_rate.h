// Requires that bytes move at a minimum rate: each 64 KiB, or what is left, within a window. A pure value that knows no
// socket; nothing fails.
#pragma once

#include <chrono>
#include <cstddef>

namespace http {

class MinimumRate {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t piece = 64 * 1024;

  MinimumRate(std::chrono::milliseconds window, Clock::time_point now) : window_(window), until_(now + window) {}

  void add(std::size_t bytes, Clock::time_point now) {
    moved_ += bytes;
    if (moved_ < piece) return;
    moved_ = 0;
    until_ = now + window_;
  }
  // From then on it is too slow.
  Clock::time_point until() const { return until_; }

 private:
  std::chrono::milliseconds window_;
  Clock::time_point until_;
  std::size_t moved_ = 0;
};

}  // namespace http
