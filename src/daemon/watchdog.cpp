#include "daemon/watchdog.h"

#include <pthread.h>

#include <utility>

#include "daemon/notify.h"
#include "logging/log.h"

namespace sidecar {
namespace {

// systemd wants a message at least twice in its time; so a look that comes too early costs nothing.
constexpr int looks_in_its_time = 4;

}  // namespace

Watchdog::Watchdog(std::vector<Watched> watched) : between_looks_(watchdog_time() / looks_in_its_time) {
  for (Watched& one : watched) {
    const std::uint64_t heartbeats = one.heartbeats();
    seen_.push_back({std::move(one), heartbeats, false});
  }
  if (between_looks_.count() > 0) thread_ = std::thread([this] { work(); });
}

void Watchdog::stop() {
  {
    const locks::MutexLock lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::work() {
  ::pthread_setname_np(::pthread_self(), "watchdog");
  locks::MutexLock lock(mutex_);
  while (!woken_.wait_for(lock, between_looks_, [this]() REQUIRES(mutex_) { return stopping_; })) {
    if (all_got_on()) notify_alive();
  }
}

bool Watchdog::all_got_on() {
  bool all = true;
  for (Seen& one : seen_) {
    const std::uint64_t heartbeats = one.watched.heartbeats();
    const bool stuck = heartbeats == std::exchange(one.heartbeats, heartbeats);
    if (stuck && !std::exchange(one.stuck, true)) {
      logging::error("A part of the sidecar is stuck; systemd will restart the sidecar if that lasts",
                     {{"part", one.watched.name}});
    }
    if (!stuck && std::exchange(one.stuck, false)) {
      logging::warn("A part of the sidecar is no longer stuck", {{"part", one.watched.name}});
    }
    all = all && !stuck;
  }
  return all;
}

}  // namespace sidecar
