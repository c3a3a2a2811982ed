// How many large bodies, and the answers to them, may be in memory at a time, over all connections of a
// server: without a limit a few hundred half-sent snapshots would be gigabytes. A body needs a slot when it has grown
// large, and not because it is announced. Waiting bodies get the slots in the order in which they came. Any thread; a
// slot that is not to be had is a value.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>

#include "locks/mutex.h"

namespace http {

class LargeBodySlots {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Taking { taken, too_late, gone };

  static constexpr std::size_t most = 4;
  static constexpr std::size_t large = 64 * 1024;  // a body up to here needs no place

  // One of the places, given back at its end.
  class Slot {
   public:
    explicit Slot(LargeBodySlots& slots) : slots_(slots) {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() {
      if (taken_) slots_.give_back();
    }

    // Waits until there is one, or `until`, or until the connection at `fd` is shut down or reset: `gone`. Once taken it
    // stays so.
    Taking take(int fd, Clock::time_point until);
    bool is_taken() const { return taken_; }

    // What is to be held while a large body is worked on: a hostile one of 8 MiB takes a processor for half
    // a second and 100 MB. Free for a small one.
    std::unique_lock<std::mutex> work() {
      return taken_ ? std::unique_lock(slots_.work_) : std::unique_lock<std::mutex>();
    }

   private:
    LargeBodySlots& slots_;
    bool taken_ = false;
  };

 private:
  struct Waiter {
    int wake = -1;  // an eventfd
    bool has_slot = false;
  };

  bool take_free_one();
  Taking wait(Waiter& waiter, int fd, Clock::time_point until);
  void give_back();

  locks::Mutex mutex_;
  std::size_t free_ GUARDED_BY(mutex_) = most;
  std::deque<Waiter*> waiting_ GUARDED_BY(mutex_);  // if there is one, none is free
  std::mutex work_;                                 // guards no data, but memory and processors
};

}  // namespace http
