// How loaded each gateway was in the last hour, one sample every 30 s, for the page's small lines. In memory only:
// 120 samples of 2 000 gateways are 2 MB, and more is not taken.
// Any thread: a short lock of its own, taken alone. Nothing fails.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/listings.h"
#include "domain/time.h"
#include "locks/mutex.h"

namespace app {

class LoadHistory {
 public:
  static constexpr std::chrono::seconds every{30};
  static constexpr std::chrono::hours span{1};
  static constexpr std::size_t most_samples = span / every;
  static constexpr std::size_t most_gateways = 2000;

  struct Reading {
    std::uint32_t load = 0, users = 0;
  };
  struct Series {
    std::string gateway;
    std::vector<std::optional<Reading>> readings;  // one for each of the times; none: it was not there
  };
  struct LastHour {
    std::vector<domain::WallTime> times;  // rising; where the process did not run there is a gap
    std::vector<Series> gateways;         // by name
  };

  // What is an hour older than `now` goes, and so does what is not older at all: the clock was set back.
  void add(domain::WallTime now, const std::vector<GatewayListing>& gateways);
  LastHour last_hour() const;

 private:
  static constexpr Reading absent{UINT32_MAX, UINT32_MAX};
  static bool is_absent(const Reading& reading) { return reading.load == absent.load; }
  void forget(domain::WallTime now) REQUIRES(mutex_);

  mutable locks::Mutex mutex_;
  std::vector<domain::WallTime> times_ GUARDED_BY(mutex_);
  std::map<std::string, std::vector<Reading>> series_ GUARDED_BY(mutex_);  // each as long as times_
};

}  // namespace app
