// The commands that wait for the shared store. Commands with a waiting caller go first; of each subject one at a time is
// in flight. What came too late in the store, and no caller waits for, waits apart for the thread of the retries.
// Any thread. take() and take_retries() block, the others never do; push() may be called under the registry's lock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/command.h"
#include "locks/mutex.h"

namespace cluster {

class CommandQueue {
 public:
  using Clock = std::chrono::steady_clock;
  // So many commands make one transaction. Each is three operations at most and some hundred bytes.
  static constexpr std::size_t most_at_once = 64;

  // What one thread has in hand.
  struct Batch {
    std::deque<Command> commands{};
    std::vector<std::string> subjects{};  // of those that are sent
    std::vector<std::string> ordinary{};  // of those that no caller waits for, or that wait behind such a one
  };

  // False, and the command is left, once it is stopped.
  bool push(Command& command);
  // Empty once it is stopped.
  Batch take();
  Batch take_retries();
  // It is known what came of each, or each is in the queue again.
  void end(const Batch& batch);

  // What the store has not done of a batch: what goes first again, and what is to be retried.
  void give_back(std::deque<Command> again, std::deque<Command> retries);
  // What the store has refused of a batch: it comes again after a pause.
  void put_off(std::deque<Command> refused);
  // None of that subject is begun until it is let go.
  void hold(const std::string& subject);
  void let_go(const std::string& subject);

  // Commands that nobody waits for, and that the store has not taken yet.
  std::size_t backlog() const;
  // Whatever has not been done by then is given up.
  void set_deadline(Clock::time_point deadline) { deadline_ = deadline; }
  Clock::time_point deadline() const { return deadline_; }
  bool is_over(const Command& command) const;
  void stop();
  // Once nobody takes any: what is left.
  std::deque<Command> take_rest();

 private:
  void enqueue(Command command, bool in_front) REQUIRES(mutex_);
  void take_some(Batch& batch) REQUIRES(mutex_);
  std::optional<Clock::time_point> next_deadline() const REQUIRES(mutex_);

  std::atomic<Clock::time_point> deadline_{Clock::time_point::max()};
  mutable locks::Mutex mutex_;
  locks::ConditionVariable woken_;
  locks::ConditionVariable retry_woken_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::deque<Command> urgent_ GUARDED_BY(mutex_);   // that somebody waits for
  std::deque<Command> queue_ GUARDED_BY(mutex_);    // the others
  std::deque<Command> retries_ GUARDED_BY(mutex_);  // of those, what came too late
  // The subjects of both, also while they are being sent.
  std::map<std::string, std::size_t> ordinary_ GUARDED_BY(mutex_);
  std::multiset<std::string> in_hand_ GUARDED_BY(mutex_);  // subjects that are being sent, or are to be retried
  std::set<std::string> held_ GUARDED_BY(mutex_);          // subjects
  std::deque<Command> later_ GUARDED_BY(mutex_);           // that the store has refused, and nobody waits for
  Clock::time_point later_at_ GUARDED_BY(mutex_){};
};

}  // namespace cluster
