// Numbers by chance: the same for the same seed with every standard library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace tests {

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t number() { return engine_(); }
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(engine_() % limit); }
  double share() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }  // 0 to below 1
  // From `first` to `last`, both of them too.
  int between(int first, int last) {
    return first + static_cast<int>(below(static_cast<std::size_t>(last - first) + 1));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace tests
