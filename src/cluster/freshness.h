// How old what is known of the shared store may be at most, and whether the store can be asked at all.
//
// A question that was sent at t and answered as of revision r, with a consistent answer, shows that whatever
// came before t has a revision of r or less. Once all up to r has been followed, nothing from before t is
// missing. Neither silence nor a progress note of the store shows it: both come from a member that is cut off, too.
// Time is reckoned on a clock that goes on while the machine is suspended. Any thread; short locks.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <optional>

#include "etcd/client.h"
#include "locks/mutex.h"

namespace cluster {

class Freshness {
 public:
  using Time = std::chrono::nanoseconds;  // on that clock
  static Time now();

  // `age`: of what a file remembers; nothing: not known.
  void begin(std::optional<std::chrono::milliseconds> age);

  // A question was sent at `sent`, and `revision` is the newest that it can have missed nothing of.
  void answered(Time sent, etcd::Revision revision);
  // All up to that revision has been followed.
  void followed(etcd::Revision revision);
  // What was followed counts no more: another store.
  void forget_questions();

  // Since when something may be missing, in time that has passed; nothing: all may be.
  std::optional<std::chrono::milliseconds> age() const;

  // The store has answered, or has not though it was asked since `since`.
  void works();
  void fails(Time since);
  // For how long nobody has been answered, though somebody has asked; 0: it answers.
  std::chrono::milliseconds failing_for() const;

 private:
  struct Question {
    Time sent;
    etcd::Revision revision;
  };
  std::atomic<std::int64_t> confirmed_{-1};
  std::atomic<std::int64_t> failing_since_{0};
  std::atomic<std::int64_t> worked_{0};  // when it answered last
  locks::Mutex mutex_;
  etcd::Revision followed_ GUARDED_BY(mutex_) = 0;
  std::deque<Question> open_ GUARDED_BY(mutex_);  // by both
};

}  // namespace cluster
