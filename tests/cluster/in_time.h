// Deadlines as tests write them, and how long something took.
#pragma once

#include <chrono>
#include <functional>

namespace cluster_test {

using Clock = std::chrono::steady_clock;

inline Clock::time_point in(std::chrono::milliseconds time) { return Clock::now() + time; }

inline std::chrono::milliseconds time_of(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

}  // namespace cluster_test
