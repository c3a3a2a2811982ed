// A number that only grows, for GET /metrics. Any thread, without a lock; never fails. Relaxed:
// nothing else may be concluded from what one reads here.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace counts {

class Counter {
 public:
  void add(std::uint64_t more = 1) { value_.fetch_add(more, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// One for each of an enumeration's values, of which `Last` is the last.
template <typename Kind, Kind Last>
class CounterBy {
 public:
  static constexpr std::size_t size = static_cast<std::size_t>(Last) + 1;

  Counter& operator[](Kind kind) { return counters_[static_cast<std::size_t>(kind)]; }
  const Counter& operator[](Kind kind) const { return counters_[static_cast<std::size_t>(kind)]; }

 private:
  std::array<Counter, size> counters_{};
};

}  // namespace counts
