// Quantiles of measured times, printed as the one line of JSON that tests/bench/run reads.
// For the bench programs only; one thread.
#pragma once

#include <algorithm>
#include <cstdio>
#include <vector>

namespace bench {

// Sorts `milliseconds` and prints {"done":…,"bad":…,"p50":…,"p99":…,"p999":…,"max":…}.
inline void print_quantiles(std::vector<double>& milliseconds, long bad) {
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto quantile = [&](double share) {
    if (milliseconds.empty()) return 0.0;
    return milliseconds[static_cast<std::size_t>(share * static_cast<double>(milliseconds.size() - 1))];
  };
  std::printf("{\"done\":%zu,\"bad\":%ld,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}\n", milliseconds.size(),
              bad, quantile(0.5), quantile(0.99), quantile(0.999), quantile(1.0));
}

}  // namespace bench
