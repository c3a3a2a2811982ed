// The service's time: monotonic, and it stands still while the process does. A gap of over 5 s between
// two ticks (stopped, suspended, starved) counts for nobody: no session grows old in it.
// Clock is not thread-safe: the registry asks it under its lock (app/registry.h), at least once a second.
#pragma once

#include <chrono>
#include <functional>

#include "domain/ledger.h"

namespace app {

// The wall clock. Apart from log lines and HTTP's Date, all wall time in the process comes from here or from a Clock.
// Any thread.
domain::WallTime wall_now();

class Clock {
 public:
  using Steady = std::chrono::steady_clock;
  using Source = std::function<domain::Moment()>;  // what the machine's clocks say

  Clock();                         // the machine's own clocks
  explicit Clock(Source machine);  // a test's

  domain::Moment now();

 private:
  Source machine_;
  domain::ServiceTime last_;
  std::chrono::nanoseconds lost_{0};
};

}  // namespace app
