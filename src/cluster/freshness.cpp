#include "cluster/freshness.h"

#include <time.h>

#include <algorithm>

namespace cluster {

Freshness::Time Freshness::now() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

void Freshness::begin(std::optional<std::chrono::milliseconds> age) {
  const locks::MutexLock lock(mutex_);
  open_.clear();
  followed_ = 0;
  failing_since_ = worked_ = 0;
  // From before the machine was started: not known, which is as good as outdated.
  confirmed_ = age ? std::max<std::int64_t>(Time(now() - *age).count(), -1) : -1;
}

void Freshness::answered(Time sent, etcd::Revision revision) {
  const locks::MutexLock lock(mutex_);
  if (followed_ >= revision) {
    if (sent.count() > confirmed_) confirmed_ = sent.count();
    return;
  }
  // A follower far behind asks again and again; the newest questions are as good.
  constexpr std::size_t most = 64;
  if (open_.size() == most) open_.pop_front();
  open_.push_back({sent, revision});
}

void Freshness::followed(etcd::Revision revision) {
  const locks::MutexLock lock(mutex_);
  followed_ = revision;
  for (auto question = open_.begin(); question != open_.end();) {
    if (question->revision > revision) {
      ++question;
      continue;
    }
    if (question->sent.count() > confirmed_) confirmed_ = question->sent.count();
    question = open_.erase(question);
  }
}

void Freshness::forget_questions() {
  const locks::MutexLock lock(mutex_);
  open_.clear();
  followed_ = 0;
}

std::optional<std::chrono::milliseconds> Freshness::age() const {
  const std::int64_t confirmed = confirmed_;
  if (confirmed < 0) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(now() - Time{confirmed});
}

void Freshness::works() {
  worked_ = now().count();
  failing_since_ = 0;
}

// One question may have taken so long that others were answered meanwhile.
void Freshness::fails(Time since) {
  std::int64_t none = 0;
  failing_since_.compare_exchange_strong(none, std::max(since.count(), worked_.load()));
}

std::chrono::milliseconds Freshness::failing_for() const {
  const std::int64_t since = failing_since_;
  if (since == 0) return std::chrono::milliseconds{0};
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(now() - Time{since}),
                  std::chrono::milliseconds{1});
}

}  // namespace cluster
