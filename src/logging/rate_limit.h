// How many lines of one event may be logged, so that a flood of them neither fills the disk nor hides what
// else happens; what is left out is counted. Any thread. Nothing fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "locks/mutex.h"

namespace logging {

// The caller's events are few: each is kept.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  // So many at once, and after that so many a second.
  static constexpr double at_once = 100;
  static constexpr double a_second = 10;
  // While an event goes on, the number left out is reported at this interval.
  static constexpr std::chrono::seconds reported_every{10};

  // May another line of the event be written? If not, it is counted. `most`: so many at once, the same for each call.
  bool takes(std::string_view event, Clock::time_point now, double most = at_once);
  // One was left out for another reason.
  void count(std::string_view event);

  struct LeftOut {
    std::string event;
    std::int64_t number;
  };
  // What is to be logged now; the counts then start anew.
  std::vector<LeftOut> left_out(Clock::time_point now);
  std::vector<LeftOut> all_left_out();

 private:
  struct Event {
    double allowance = 0;
    Clock::time_point last{};
    std::int64_t left_out = 0;
    Clock::time_point reported_at{};
  };

  // A new one has its whole allowance, and gets no more by waiting.
  Event& known(std::string_view event, double most = at_once) REQUIRES(mutex_);

  locks::Mutex mutex_;
  std::map<std::string, Event, std::less<>> events_ GUARDED_BY(mutex_);
};

}  // namespace logging
