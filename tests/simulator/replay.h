// Replays days by a rule, and reports how evenly it spread the users.
#pragma once

#include <cstddef>
#include <cstdint>

#include "rules.h"

namespace simulator {

// Highest over mean users of the living gateways, and users above their gateway's capacity. Measured
// every ten seconds, while at least a quarter of all capacity is in use.
struct Spread {
  double mean = 0;
  double at_lesson_start = 0;  // in the mean of the first ten minutes
  double worst = 0;            // of all days
  double mean_over = 0;
  std::int64_t worst_over = 0;
  double moves = 0;  // rooms a day
};

// Days with seeds from 1 on.
Spread replay(const Rule& rule, std::uint64_t days);

}  // namespace simulator
