// Hands lines to a file descriptor by a thread of its own: a caller that adds a line never waits for the
// reader. Lines that come within a few milliseconds leave in one write. If they come faster than they
// can be written the oldest are dropped, and counted. Any thread may call; nothing fails: what the
// descriptor refuses is lost.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "locks/mutex.h"

namespace logging {

class LineWriter {
 public:
  LineWriter(int fd, std::size_t limit);  // `limit`: how many lines may wait
  ~LineWriter();                          // writes what waits
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  void add(std::string_view line);  // without its end
  // Waits until all is written. False if the reader takes nothing for as long as `patience`; none: it waits for ever.
  bool drain(std::optional<std::chrono::milliseconds> patience);
  std::size_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void work();
  void write(std::string_view text);

  const int fd_;
  const std::size_t limit_;
  std::atomic<std::size_t> dropped_{0};
  std::atomic<std::size_t> pieces_written_{0};
  locks::Mutex mutex_;
  locks::ConditionVariable changed_;
  locks::ConditionVariable drained_;
  std::deque<std::string> waiting_ GUARDED_BY(mutex_);
  bool is_idle_ GUARDED_BY(mutex_) = false;
  bool is_writing_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace logging
