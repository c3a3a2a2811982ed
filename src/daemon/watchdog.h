// Notifies systemd's watchdog (WatchdogSec=) as long as all is well: only while every one of the
// watched threads has got on since the last notification. A thread of its own from construction to stop(), and none
// where systemd does not ask (WATCHDOG_USEC). Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "locks/mutex.h"

namespace sidecar {

class Watchdog {
 public:
  struct Watched {
    std::string name;                           // for the log
    std::function<std::uint64_t()> heartbeats;  // rises at least once a second while it gets on
  };

  explicit Watchdog(std::vector<Watched> watched);
  ~Watchdog() { stop(); }

  void stop();

 private:
  void work();
  bool all_got_on();

  struct Seen {
    Watched watched;
    std::uint64_t heartbeats = 0;
    bool stuck = false;
  };

  const std::chrono::microseconds between_looks_;
  locks::Mutex mutex_;
  locks::ConditionVariable woken_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<Seen> seen_;  // the thread's own
  std::thread thread_;
};

}  // namespace sidecar
