// How often a value fell below each of some bounds, for a histogram of GET /metrics. Any thread,
// without a lock or an allocation while observing (prometheus-cpp's own histogram takes a mutex);
// never fails.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "counts/counter.h"

namespace counts {

// As it was read, while others may have gone on observing: the count always agrees with the
// buckets.
struct Reading {
  struct Bucket {
    std::uint64_t bound;  // in the distribution's unit
    std::uint64_t up_to;  // values not above the bound
  };
  std::vector<Bucket> buckets;
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
};

// `Bounds`: an array of rising bounds; a value belongs to the first that is not below it.
template <const auto& Bounds>
class Distribution {
 public:
  void observe(std::uint64_t value) {
    std::size_t bucket = 0;
    while (bucket < Bounds.size() && value > Bounds[bucket]) ++bucket;
    buckets_[bucket].add();
    sum_.add(value);
  }

  Reading read() const {
    Reading reading;
    reading.sum = sum_.value();
    for (std::size_t i = 0; i < Bounds.size(); ++i) {
      reading.count += buckets_[i].value();
      reading.buckets.push_back({Bounds[i], reading.count});
    }
    reading.count += buckets_[Bounds.size()].value();
    return reading;
  }

 private:
  std::array<Counter, Bounds.size() + 1> buckets_{};
  Counter sum_;
};

// Nanoseconds from 50 us to 1 s: a sticky answer takes some 50 us, a commit some hundred, a hung
// disk longer.
inline constexpr std::array<std::uint64_t, 14> duration_bounds{
    50'000,     100'000,    250'000,    500'000,     1'000'000,   2'500'000,   5'000'000,
    10'000'000, 25'000'000, 50'000'000, 100'000'000, 250'000'000, 500'000'000, 1'000'000'000};

class Durations : public Distribution<duration_bounds> {
 public:
  using Clock = std::chrono::steady_clock;
  void observe_since(Clock::time_point begun) {
    const std::chrono::nanoseconds taken = Clock::now() - begun;
    observe(static_cast<std::uint64_t>(taken.count()));
  }
};

inline constexpr std::array<std::uint64_t, 11> size_bounds{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
using Sizes = Distribution<size_bounds>;

}  // namespace counts
