// What the server refuses for want of slots: counted, and logged with a limit (logging/rate_limited_warning.h). Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "counts/counter.h"
#include "logging/rate_limited_warning.h"

namespace http {

class LoadShedding {
 public:
  struct Listener {
    std::string address;
    std::size_t slots = 0;
  };

  explicit LoadShedding(std::vector<Listener> listeners) : listeners_(std::move(listeners)) {}

  // Where all slots of a listener, given by its number, are taken.
  void refused_connection(std::size_t listener);
  // For a new connection: an idle one that had had no complete authorised answer.
  void displaced_connection(std::size_t listener);
  void refused_large_body(std::string_view route);
  // The refused request was a session report. A request that was never read is not known to be one.
  void refused_session_report();

  std::uint64_t connections_refused() const { return connections_refused_.value(); }
  std::uint64_t connections_displaced() const { return connections_displaced_.value(); }
  std::uint64_t large_bodies_refused() const { return large_bodies_refused_.value(); }
  std::uint64_t session_reports_refused() const { return session_reports_refused_.value(); }
  // Was a session report refused within the last minute?
  bool refuses_session_reports() const;

 private:
  using Clock = std::chrono::steady_clock;

  const std::vector<Listener> listeners_;
  counts::Counter connections_refused_;
  counts::Counter connections_displaced_;
  counts::Counter large_bodies_refused_;
  counts::Counter session_reports_refused_;
  std::atomic<Clock::duration> report_refused_at_{Clock::duration::min()};  // since the clock's epoch
  logging::RateLimitedWarning refused_{"Connections refused; all slots are taken"};
  logging::RateLimitedWarning displaced_{"Idle connections closed to admit new ones; all slots are taken"};
  logging::RateLimitedWarning large_bodies_{"Large bodies refused; all slots for them are taken"};
};

}  // namespace http
