#include "app/claim.h"

#include <utility>

namespace app {
namespace {

std::optional<DecisionRecord> with_end(DecisionRecord& record, const std::optional<std::string>& holder) {
  record.gateway = holder;
  if (!holder) record.refusal = domain::Refusal::storage_unavailable;
  return std::move(record);
}

}  // namespace

void Claim::settle(ClaimOutcome outcome) {
  {
    const locks::MutexLock lock(mutex_);
    outcome_ = outcome;
  }
  settled_.notify_all();
}

ClaimOutcome Claim::wait_until(Deadline deadline) {
  locks::MutexLock lock(mutex_);
  if (!settled_.wait_until(lock, deadline, [this]() REQUIRES(mutex_) { return outcome_.has_value(); }))
    return ClaimOutcome::timed_out;
  return *outcome_;
}

void Completion::settle(bool done) {
  {
    const locks::MutexLock lock(mutex_);
    done_ = done;
  }
  settled_.notify_all();
}

bool Completion::is_done_by(Claim::Deadline deadline) {
  locks::MutexLock lock(mutex_);
  settled_.wait_until(lock, deadline, [this]() REQUIRES(mutex_) { return done_.has_value(); });
  return done_.value_or(false);
}

std::optional<DecisionRecord> Claim::describe(DecisionRecord record) {
  const locks::MutexLock lock(mutex_);
  described_ = std::move(record);
  return concluded_ ? with_end(*described_, *concluded_) : std::nullopt;
}

std::optional<DecisionRecord> Claim::conclude(const std::optional<std::string>& holder) {
  const locks::MutexLock lock(mutex_);
  concluded_ = holder;
  if (!holder && is_given_up_) return std::nullopt;
  return described_ ? with_end(*described_, holder) : std::nullopt;
}

std::optional<DecisionRecord> Claim::give_up() {
  const locks::MutexLock lock(mutex_);
  if (!described_ || concluded_ || is_given_up_) return std::nullopt;
  is_given_up_ = true;
  DecisionRecord record = *described_;
  return with_end(record, std::nullopt);
}

}  // namespace app
