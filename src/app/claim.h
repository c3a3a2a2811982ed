// What requests wait for: a claim on a gateway for a room, and the end or the announcement of one. Another thread
// settles it. Any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "app/claims.h"
#include "app/decision_log.h"
#include "locks/mutex.h"

namespace app {

// A claim under way; later requests for its room wait for it, too.
class Claim {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  void settle(ClaimOutcome outcome);
  ClaimOutcome wait_until(Deadline deadline);

  // The decision and its outcome are reported by two threads; the second one gets both.
  std::optional<DecisionRecord> describe(DecisionRecord record);
  std::optional<DecisionRecord> conclude(const std::optional<std::string>& holder);
  // The waiting caller was refused before the outcome was known. The first call returns the refusal; a later failure
  // of the claim is not recorded.
  std::optional<DecisionRecord> give_up();

 private:
  locks::Mutex mutex_;
  locks::ConditionVariable settled_;
  std::optional<ClaimOutcome> outcome_ GUARDED_BY(mutex_);
  std::optional<DecisionRecord> described_ GUARDED_BY(mutex_);
  std::optional<std::optional<std::string>> concluded_ GUARDED_BY(mutex_);
  bool is_given_up_ GUARDED_BY(mutex_) = false;
};

// Are the callers that waited for a claim with this outcome refused?
inline bool is_refused(ClaimOutcome outcome) {
  return outcome == ClaimOutcome::failed || outcome == ClaimOutcome::timed_out;
}

// The same for a caller that would decide again, which it may do until the deadline only.
inline bool is_over(ClaimOutcome outcome, Claim::Deadline deadline) {
  const bool is_late = outcome != ClaimOutcome::won && std::chrono::steady_clock::now() >= deadline;
  return is_refused(outcome) || is_late;
}

// Something that another thread will finish: the end of an assignment, or the announcement that a room is used.
class Completion {
 public:
  void settle(bool done);
  // False also if it is not known by then.
  bool is_done_by(Claim::Deadline deadline);

 private:
  locks::Mutex mutex_;
  locks::ConditionVariable settled_;
  std::optional<bool> done_ GUARDED_BY(mutex_);
};

// What became of an assignment that nobody here needs: it has ended, or that is being found out; or it stays.
struct Removal {
  bool now = false;
  std::shared_ptr<Completion> completion;

  bool is_done_by(Claim::Deadline deadline) const { return now || (completion && completion->is_done_by(deadline)); }
};

}  // namespace app
