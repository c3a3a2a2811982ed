// Deadlines as tests write them, and how long something took.
#pragma once

#include <chrono>
#include <functional>

#include "pace.h"

namespace etcd_test {

using Clock = std::chrono::steady_clock;

inline Clock::time_point in(std::chrono::milliseconds time) { return Clock::now() + time; }

// For an answer that is sure to come, however busy the machine is.
inline Clock::time_point patiently() { return in(std::chrono::seconds{30}); }

// What is to hold by a deadline, a busy machine may show that much later. What is tested would else last far longer.
constexpr std::chrono::seconds lateness{5};

inline std::chrono::milliseconds time_of(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

// The same on a machine with nothing else to do, as far as tests/pace.h can tell: to be compared with what it may take.
inline std::chrono::milliseconds idle_time_of(const std::function<void()>& work) {
  tests::Slowdown slowdown;
  const auto took = time_of(work);
  return std::chrono::duration_cast<std::chrono::milliseconds>(took / slowdown.stop());
}

}  // namespace etcd_test
