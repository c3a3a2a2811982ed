// Ends an exchange with a member whose time is up, or that is to stop, by shutting its socket down from a thread
// of its own. (cpp-httplib's time-outs are for each read by itself, and do not bound connecting, greeting and
// answering together; its stop() waits while it connects.)
// One thread sets it; stop() is for any. Fails with std::system_error if there can be no thread.
#pragma once

#include <chrono>
#include <optional>
#include <thread>

#include "locks/mutex.h"

namespace cluster {

class Alarm {
 public:
  using Clock = std::chrono::steady_clock;

  Alarm();
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // The socket that is spoken through from now on. A duplicate is kept: the number may be another's before we know.
  void watch(int socket);
  // Shuts that socket down at once, and lets it go.
  void cut();

  // From then on the socket is shut down, and each that is opened after it, until unset().
  void set(Clock::time_point until);
  void unset();
  // Since it was set.
  bool has_rung() const;

  // False as soon as it is stopped.
  bool sleep_until(Clock::time_point until);

  // What is under way is cut and what is set later rings at once.
  void stop();
  bool is_stopped() const;

 private:
  void run();
  void shut_down() REQUIRES(mutex_);
  void let_go() REQUIRES(mutex_);

  mutable locks::Mutex mutex_;
  locks::ConditionVariable changed_;  // for the alarm's own thread
  locks::ConditionVariable stop_;
  int socket_ GUARDED_BY(mutex_) = -1;
  std::optional<Clock::time_point> until_ GUARDED_BY(mutex_);
  Clock::time_point looks_at_ GUARDED_BY(mutex_) = Clock::time_point::max();  // when the thread wakes by itself
  bool rung_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;
  bool ending_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace cluster
