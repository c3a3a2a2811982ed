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
  transfers_.stop();
  thread_.join();
}

void HttpSource::ask(std::vector<Target> targets) {
  const locks::MutexLock lock(mutex_);
  targets_ = std::move(targets);
}

std::vector<Target> HttpSource::targets() const {
  const locks::MutexLock lock(mutex_);
  return targets_;
}

void HttpSource::work() {
  auto next = Clock::now();
  do {
    for (const Target& target : targets()) {
      transfers_.begin({.url = target.url, .largest_answer = largest_answer, .timeout = timeout_},
                       [this, gateway = target.gateway](const http::TransferAnswer& answer) {
                         observed_(gateway, answer.is_ok() && is_server_info(answer.body));
                       });
    }
    transfers_.run();
    // After a pause of the process there is nothing to make up for.
    next = std::max(next + interval_, Clock::now());
  } while (transfers_.sleep_until(next));
}

}  // namespace health
