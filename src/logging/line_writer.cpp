#include "logging/line_writer.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace logging {
namespace {

// A wake-up and a write for each line cost 11 of a new room's 95 us, and made the disk wait.
constexpr std::chrono::milliseconds gathering{5};
// So that a slow reader is seen to take something: what one write(2) has done is not known before its end.
constexpr std::size_t piece = 16 * 1024;

}  // namespace

LineWriter::LineWriter(int fd, std::size_t limit) : fd_(fd), limit_(limit), thread_([this] { work(); }) {}

LineWriter::~LineWriter() {
  {
    const locks::MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void LineWriter::add(std::string_view line) {
  std::string whole;
  whole.reserve(line.size() + 1);
  whole.append(line) += '\n';
  bool wake = false;
  {
    const locks::MutexLock lock(mutex_);
    if (waiting_.size() >= limit_) {
      waiting_.pop_front();
      dropped_.fetch_add(1, std::memory_order_relaxed);
    }
    waiting_.push_back(std::move(whole));
    wake = std::exchange(is_idle_, false);
  }
  if (wake) changed_.notify_one();
}

bool LineWriter::drain(std::optional<std::chrono::milliseconds> patience) {
  constexpr std::chrono::milliseconds look{20};
  locks::MutexLock lock(mutex_);
  std::chrono::milliseconds silent{0};
  for (std::size_t seen = pieces_written_; !waiting_.empty() || is_writing_;) {
    if (patience && silent >= *patience) return false;
    drained_.wait_for(lock, look, [this]() REQUIRES(mutex_) { return waiting_.empty() && !is_writing_; });
    const std::size_t now = pieces_written_;
    silent = now == seen ? silent + look : std::chrono::milliseconds{0};
    seen = now;
  }
  return true;
}

void LineWriter::work() {
  ::pthread_setname_np(::pthread_self(), "log");
  locks::MutexLock lock(mutex_);
  for (;;) {
    is_idle_ = true;
    changed_.wait(lock, [this]() REQUIRES(mutex_) { return stopping_ || !waiting_.empty(); });
    is_idle_ = false;
    changed_.wait_for(lock, gathering, [this]() REQUIRES(mutex_) { return stopping_; });
    if (waiting_.empty()) return;
    const auto lines = std::exchange(waiting_, {});
    is_writing_ = true;
    lock.unlock();
    std::string text;
    for (const std::string& line : lines) text += line;
    write(text);
    lock.lock();
    is_writing_ = false;
    drained_.notify_all();
  }
}

void LineWriter::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd_, text.data(), std::min(text.size(), piece));
    if (written >= 0) {
      pieces_written_.fetch_add(1, std::memory_order_relaxed);
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // another process that shares the descriptor made it so
      pollfd writable{fd_, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace logging
