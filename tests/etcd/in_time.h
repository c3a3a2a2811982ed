// Deadlines as tests write them, and how long something took.
#pragma once

#include <chrono>
#include <functional>

#include "pace.h"

namespace etcd_test {

using Clock = std::chrono::steady_clock;

inline Clock::time_point in(std::chrono::milliseconds time) { return Clock::now() + time; }

// For an answer that is certain to come, however busy the machine is.
inline Clock::time_point patiently() { return in(std::chrono::seconds{30}); }

// A busy machine may meet a deadline that much later. Without the tested deadline it would take far longer.
constexpr std::chrono::seconds lateness{5};

inline std::chrono::milliseconds time_of(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

// The time that it would take on an idle machine, as estimated by tests/pace.h, to compare with a limit.
inline std::chrono::milliseconds idle_time_of(const std::function<void()>& work) {
  tests::Slowdown slowdown;
  const auto took = time_of(work);
  return std::chrono::duration_cast<std::chrono::milliseconds>(took / slowdown.stop());
}

}  // namespace etcd_test
