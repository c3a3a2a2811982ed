// The process's signals, from before anything else runs until the log is written out. TERM and INT stop it, HUP
// reloads, and every other one is ignored with a WARN. From TERM on the process has a deadline: what still hangs then is left
// behind, as in a crash.
// Threads: one reads the signals and stops, two reload, so that one that hangs delays no other, and one watches the
// deadline once there is one. All functions
// are for the thread that constructs it. Throws if there can be no thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <thread>

#include "locks/mutex.h"

namespace sidecar {

class Signals {
 public:
  struct Handlers {
    std::function<void()> stop;    // at most once; must return soon
    std::function<void()> reload;  // must return soon after stop() was called
  };

  // For this thread, and so for all that it starts: to be called before the first one, the log's included.
  static void block();
  // Expects them to be blocked, and the log to be started.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Until now a stop just ends the process, for there is nothing to lose. What was asked for meanwhile is done now.
  void attach(Handlers handlers);
  // Afterwards none of them is called any more. Waits for one that is under way.
  void detach();

  bool stop_was_asked() const { return deadline_known_; }
  // What the process exits with if it hangs after this.
  void set_exit_code(int code) { exit_code_ = code; }

 private:
  using Clock = std::chrono::steady_clock;

  void read_signals();
  void take(int number, int sender);
  void ask_to_stop();
  void stop_if_attached();
  void reload_when_asked();
  void leave_at_deadline();

  int signals_ = -1;
  int wake_ = -1;
  std::atomic<bool> deadline_known_{false};
  std::atomic<int> exit_code_{0};
  locks::Mutex mutex_;
  locks::ConditionVariable changed_;
  Handlers handlers_ GUARDED_BY(mutex_);  // empty: not attached
  bool was_attached_ GUARDED_BY(mutex_) = false;
  bool is_over_ GUARDED_BY(mutex_) = false;
  bool stop_wanted_ GUARDED_BY(mutex_) = false;
  bool reload_wanted_ GUARDED_BY(mutex_) = false;
  int in_progress_ GUARDED_BY(mutex_) = 0;  // handlers
  Clock::time_point deadline_ GUARDED_BY(mutex_);
  std::map<int, Clock::time_point> logged_;  // the reader's own: when a signal was last warned of
  std::thread deadline_thread_;              // the reader's own, until that is joined
  std::array<std::thread, 2> reloaders_;
  std::thread reader_;
};

}  // namespace sidecar
