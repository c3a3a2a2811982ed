// How long one attempt at a member may take when no caller waits for it. A member that needs longer under load would
// else be given up for ever, and be asked anew while it still works on the old question. One thread at a time.
#pragma once

#include <algorithm>
#include <chrono>

namespace etcd {

class AttemptTime {
 public:
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::milliseconds;
  static constexpr Milliseconds longest = std::chrono::seconds{15};

  explicit AttemptTime(Milliseconds shortest) : shortest_(shortest), current_(shortest) {}

  Milliseconds current() const { return current_; }

  // Without an answer. If that attempt had this time, the next one gets twice as long, up to `longest`. Waits end up to
  // a millisecond early, since poll(2) counts in those.
  void gave_up_after(Clock::time_point begun) {
    if (since(begun) >= current_ * 9 / 10) set(current_);
  }
  // The next attempt gets twice what this one took, but not less than the shortest.
  void answered_after(Clock::time_point begun) { set(since(begun)); }

 private:
  static Milliseconds since(Clock::time_point begun) {
    return std::chrono::duration_cast<Milliseconds>(Clock::now() - begun);
  }
  void set(Milliseconds half) { current_ = std::clamp(2 * half, shortest_, std::max(shortest_, longest)); }

  const Milliseconds shortest_;
  Milliseconds current_;
};

}  // namespace etcd
