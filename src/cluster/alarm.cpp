#include "cluster/alarm.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cluster {

// A socket that was opened, but not yet connected, survives being shut down.
constexpr std::chrono::milliseconds looks_again{10};

Alarm::Alarm() : thread_([this] { run(); }) {}

Alarm::~Alarm() {
  {
    const locks::MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
  let_go();
}

void Alarm::watch(int socket) {
  const locks::MutexLock lock(mutex_);
  let_go();
  socket_ = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
}

void Alarm::cut() {
  const locks::MutexLock lock(mutex_);
  shut_down();
  let_go();
}

void Alarm::set(Clock::time_point until) {
  const locks::MutexLock lock(mutex_);
  until_ = until;
  rung_ = false;
  // Mostly the thread sleeps on: it wakes before that time, and looks again.
  if (stopped_ || until < looks_at_) changed_.notify_one();
}

void Alarm::unset() {
  const locks::MutexLock lock(mutex_);
  until_.reset();
}

bool Alarm::has_rung() const {
  const locks::MutexLock lock(mutex_);
  return rung_;
}

bool Alarm::sleep_until(Clock::time_point until) {
  locks::MutexLock lock(mutex_);
  return !stop_.wait_until(lock, until, [this]() REQUIRES(mutex_) { return stopped_; });
}

void Alarm::stop() {
  {
    const locks::MutexLock lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_one();
  stop_.notify_all();
}

bool Alarm::is_stopped() const {
  const locks::MutexLock lock(mutex_);
  return stopped_;
}

void Alarm::run() {
  locks::MutexLock lock(mutex_);
  while (!ending_) {
    if (!until_) {
      looks_at_ = Clock::time_point::max();
      changed_.wait(lock);
      continue;
    }
    const auto now = Clock::now();
    if (stopped_ || now >= *until_) {
      rung_ = true;
      shut_down();
      looks_at_ = now + looks_again;
    } else {
      looks_at_ = *until_;
    }
    changed_.wait_until(lock, Clock::time_point(looks_at_));
  }
}

void Alarm::shut_down() {
  if (socket_ != -1) ::shutdown(socket_, SHUT_RDWR);
}

void Alarm::let_go() {
  if (socket_ != -1) ::close(socket_);
  socket_ = -1;
}

}  // namespace cluster
