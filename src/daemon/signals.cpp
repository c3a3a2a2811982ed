#include "daemon/signals.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "logging/log.h"

namespace sidecar {
namespace {

// From TERM on. It must be over in 5 s, and orderly stops take up to 4.2 s of them.
constexpr std::chrono::milliseconds time_to_end{4600};
// Before anything was answered there is nothing to finish, but a start that is nearly done may still say goodbye.
constexpr std::chrono::milliseconds time_to_leave_start{1000};
constexpr std::chrono::milliseconds time_for_last_line{100};
// A signal that is sent all the time is logged once in so long.
constexpr std::chrono::minutes between_warnings{1};

// Faults of our own still kill and dump core: the kernel does not let those be blocked.
sigset_t all_signals() {
  sigset_t set;
  sigfillset(&set);
  return set;
}

std::string name_of(int number) {
  const char* name = ::sigabbrev_np(number);
  if (name != nullptr) return std::string("SIG") + name;
  return number >= SIGRTMIN && number <= SIGRTMAX ? "SIGRTMIN+" + std::to_string(number - SIGRTMIN)
                                                  : std::to_string(number);
}

int require_descriptor(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return fd;
}

}  // namespace

void Signals::block() {
  const sigset_t set = all_signals();
  ::pthread_sigmask(SIG_SETMASK, &set, nullptr);
}

Signals::Signals() {
  const sigset_t set = all_signals();
  signals_ = require_descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
  wake_ = require_descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  for (std::thread& reloader : reloaders_) reloader = std::thread([this] { reload_when_asked(); });
  reader_ = std::thread([this] { read_signals(); });
}

Signals::~Signals() {
  {
    const locks::MutexLock lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  ::eventfd_write(wake_, 1);
  reader_.join();
  for (std::thread& reloader : reloaders_) reloader.join();
  if (deadline_thread_.joinable()) deadline_thread_.join();
  ::close(wake_);
  ::close(signals_);
}

void Signals::attach(Handlers handlers) {
  {
    const locks::MutexLock lock(mutex_);
    handlers_ = std::move(handlers);
    was_attached_ = true;
    if (stop_wanted_) deadline_ += time_to_end - time_to_leave_start;
  }
  changed_.notify_all();
  ::eventfd_write(wake_, 1);
}

void Signals::detach() {
  locks::MutexLock lock(mutex_);
  handlers_ = {};
  changed_.wait(lock, [this]() REQUIRES(mutex_) { return in_progress_ == 0; });
}

void Signals::read_signals() {
  ::pthread_setname_np(::pthread_self(), "signals");
  pollfd watched[] = {{signals_, POLLIN, 0}, {wake_, POLLIN, 0}};
  for (;;) {
    ::poll(watched, 2, -1);
    eventfd_t woken = 0;
    ::eventfd_read(wake_, &woken);
    for (signalfd_siginfo info; ::read(signals_, &info, sizeof info) == sizeof info;) {
      take(static_cast<int>(info.ssi_signo), static_cast<int>(info.ssi_pid));
    }
    stop_if_attached();
    const locks::MutexLock lock(mutex_);
    if (is_over_) return;
  }
}

void Signals::take(int number, int sender) {
  if (number == SIGTERM || number == SIGINT) return ask_to_stop();
  if (number == SIGHUP) {
    {
      const locks::MutexLock lock(mutex_);
      reload_wanted_ = true;
    }
    return changed_.notify_all();
  }
  const auto now = Clock::now();
  const auto [logged, is_first] = logged_.try_emplace(number, now);
  if (!is_first && now - logged->second < between_warnings) return;
  logged->second = now;
  logging::warn("Signal ignored", {{"signal", name_of(number)}, {"sender_pid", std::int64_t{sender}}});
}

void Signals::ask_to_stop() {
  {
    const locks::MutexLock lock(mutex_);
    if (std::exchange(stop_wanted_, true)) return;
    const bool is_running = handlers_.stop != nullptr;
    deadline_ = Clock::now() + (is_running ? time_to_end : time_to_leave_start);
  }
  deadline_known_ = true;
  try {
    deadline_thread_ = std::thread([this] { leave_at_deadline(); });
  } catch (const std::system_error& error) {  // no more threads to be had; most stops need no deadline
    logging::warn("A stop that hangs will not be ended", {{"reason", error.what()}});
  }
}

void Signals::stop_if_attached() {
  std::function<void()> stop;
  {
    const locks::MutexLock lock(mutex_);
    if (!stop_wanted_ || !handlers_.stop) return;
    stop = std::exchange(handlers_.stop, nullptr);
    ++in_progress_;
  }
  stop();
  const locks::MutexLock lock(mutex_);
  --in_progress_;
  changed_.notify_all();
}

void Signals::reload_when_asked() {
  ::pthread_setname_np(::pthread_self(), "reload");
  locks::MutexLock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this]() REQUIRES(mutex_) { return is_over_ || (reload_wanted_ && handlers_.reload); });
    if (is_over_) return;
    reload_wanted_ = false;
    const std::function<void()> reload = handlers_.reload;
    ++in_progress_;
    lock.unlock();
    try {
      reload();
    } catch (const std::exception& exception) {  // of memory or threads there are none left
      logging::error("Reload failed", {{"reason", exception.what()}});
    }
    lock.lock();
    --in_progress_;
    changed_.notify_all();
  }
}

void Signals::leave_at_deadline() {
  ::pthread_setname_np(::pthread_self(), "deadline");
  {
    locks::MutexLock lock(mutex_);
    while (!is_over_ && Clock::now() < deadline_) {
      changed_.wait_for(lock, deadline_ - Clock::now(), [this]() REQUIRES(mutex_) { return is_over_; });
    }
    if (is_over_) return;
    if (was_attached_) {
      logging::error("Something hangs; stopped without waiting for it");
    } else {
      logging::info("Stopped during the start");
    }
  }
  logging::drain(time_for_last_line);
  std::_Exit(exit_code_);
}

}  // namespace sidecar
