#include "http/large_body_slots.h"

#include <algorithm>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace http {

LargeBodySlots::Taking LargeBodySlots::Slot::take(int fd, Clock::time_point until) {
  if (taken_ || slots_.take_free_one()) {
    taken_ = true;
    return Taking::taken;
  }
  Waiter waiter;
  waiter.wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (waiter.wake < 0) return Taking::too_late;  // out of descriptors
  const Taking taking = slots_.wait(waiter, fd, until);
  ::close(waiter.wake);
  taken_ = taking == Taking::taken;
  return taking;
}

bool LargeBodySlots::take_free_one() {
  const locks::MutexLock lock(mutex_);
  if (free_ == 0) return false;
  --free_;
  return true;
}

LargeBodySlots::Taking LargeBodySlots::wait(Waiter& waiter, int fd, Clock::time_point until) {
  {
    const locks::MutexLock lock(mutex_);
    if (free_ > 0) {  // since a moment
      --free_;
      return Taking::taken;
    }
    waiting_.push_back(&waiter);
  }
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    // A client that only sends no more is not gone: it waits for its answer.
    pollfd watched[] = {{waiter.wake, POLLIN, 0}, {fd, 0, 0}};
    const int ready = left > 0 ? ::poll(watched, 2, static_cast<int>(left)) : 0;
    const locks::MutexLock lock(mutex_);
    if (waiter.has_slot) return Taking::taken;
    const bool is_gone = ready > 0 && (watched[1].revents & (POLLHUP | POLLERR)) != 0;
    if (!is_gone && ready != 0) continue;
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &waiter));
    return is_gone ? Taking::gone : Taking::too_late;
  }
}

void LargeBodySlots::give_back() {
  const locks::MutexLock lock(mutex_);
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  waiting_.front()->has_slot = true;
  ::eventfd_write(waiting_.front()->wake, 1);
  waiting_.pop_front();
}

}  // namespace http
