#include "health/http_source.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "health/probe_result.h"

namespace health {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t largest_answer = 256 * 1024;  // server_info takes some 5 KiB

}  // namespace

HttpSource::HttpSource(domain::Duration interval, domain::Duration timeout, Observed observed)
    : interval_(interval), timeout_(timeout), observed_(std::move(observed)) {
  thread_ = std::thread([this] { work(); });
}

HttpSource::~HttpSource() {
  {
    const locks::MutexLock lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

void HttpSource::ask(std::vector<Target> targets) {
  const locks::MutexLock lock(mutex_);
  targets_ = std::move(targets);
}

void HttpSource::work() {
  Requests requests(timeout_);
  auto next = Clock::now();
  locks::MutexLock lock(mutex_);
  while (!stopping_) {
    const std::vector<Target> targets = targets_;
    lock.unlock();
    for (const Target& target : targets) {
      requests.get(target.url, largest_answer, [&, gateway = target.gateway](const std::string* body) {
        observed_(gateway, body && is_server_info(*body));
      });
    }
    for (bool stop = false; !requests.is_idle() && !stop;) {
      requests.go_on();
      lock.lock();
      stop = stopping_;
      lock.unlock();
    }
    // After a pause of the process there is nothing to make up for.
    next = std::max(next + interval_, Clock::now());
    lock.lock();
    woken_.wait_until(lock, next, [this]() REQUIRES(mutex_) { return stopping_; });
  }
}

}  // namespace health
