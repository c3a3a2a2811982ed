// Are new rooms coming so fast that the loads are out of date while they are compared? Not thread-safe: its
// owner holds the ledger's lock. Time comes in as an argument and must not go backwards. Nothing fails, and
// nothing is allocated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "domain/time.h"

namespace domain {

class ArrivalRate {
 public:
  // More new rooms than that within the last second are a burst: with pictures 50 ms old the choice of two is the
  // better one from about there on, and costs next to nothing below (docs/placement.md).
  static constexpr std::size_t most = 30;

  // A room was assigned, by whichever sidecar, and seen here now. What a list brings at once is no arrival.
  void arrived(ServiceTime now) {
    last_[count_ % last_.size()] = now;
    ++count_;
  }

  bool is_burst(ServiceTime now) const {
    return count_ >= last_.size() && now - last_[count_ % last_.size()] < std::chrono::seconds(1);
  }

 private:
  std::array<ServiceTime, most + 1> last_{};  // a ring: the oldest is the next to go
  std::uint64_t count_ = 0;
};

}  // namespace domain
