// Writes commands to the shared store: one thread puts what waits into one transaction, as the journal does with the
// disk, and reports the outcomes. Commands that came too late there, and no caller waits for, are retried by a second
// thread, which gives the store more time (etcd/attempt_time.h) while the first one goes on. push() never blocks and
// may be called under the registry's lock. Replica and ledger hold an outcome before it is reported.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cluster/command.h"
#include "cluster/shared_state.h"
#include "etcd/client.h"
#include "locks/mutex.h"

namespace cluster {

class Writer : public std::enable_shared_from_this<Writer> {
 public:
  // Held by a shared pointer: a claim that is being written to the file keeps it.
  explicit Writer(std::shared_ptr<SharedState> state);
  ~Writer();  // stop()
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void push(Command command);
  // Whatever has not been done by then is given up.
  void set_deadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }
  // No command is begun any more; those that wait end without an outcome.
  void stop();
  // Commands that nobody waits for, and that the store has not taken yet.
  std::size_t backlog() const;
  // Any thread: what was asked for last is not allowed, or there is no room for it.
  bool is_refused() const { return is_refused_; }

 private:
  // What one thread has in hand.
  struct Batch {
    std::deque<Command> commands{};
    std::vector<std::string> subjects{};  // of those that are sent
    std::vector<std::string> ordinary{};  // of those that no caller waits for, or that wait behind such a one
  };

  void retry();
  void enqueue(Command command, bool in_front) REQUIRES(mutex_);
  Batch take();
  std::optional<std::chrono::steady_clock::time_point> next_deadline() const REQUIRES(mutex_);
  Batch take_retries();
  void end(const Batch& batch);
  void perform(std::deque<Command> batch, etcd::Client& engine);
  void send(std::deque<Command> batch, etcd::Client& engine);
  etcd::Client::Deadline deadline_of(const std::deque<Command>& batch) const;
  void name_standbys(std::deque<Command>& batch, etcd::Client& engine);
  void finish(Command& command, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void finish_claim(Command& command, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void finish_give_up(Command& command, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void finish_republish(Command& command, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void finish_release(Command& command, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void finish_use_mark(Command& command, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void give_back(std::deque<Command> batch, bool refused);
  bool is_over(const Command& command) const;
  bool is_waited_for(const Command& command) const;
  static void abandon(Command& command);
  void settle(const Command& command, const app::Grant& grant) REQUIRES(state_.mutex);
  std::chrono::steady_clock::time_point shutdown_deadline() const { return deadline_; }
  void catch_up(const std::string& room) REQUIRES(state_.mutex);
  std::optional<std::string_view> gateway_of_tombstone(const std::string& room) const REQUIRES(state_.mutex);
  void end_room(domain::Ledger& ledger, const std::string& room, std::optional<std::string_view> tombstone)
      REQUIRES(state_.mutex);

  const std::shared_ptr<SharedState> shared_;
  SharedState& state_;
  etcd::Client engine_;
  etcd::Client patient_engine_;  // of the retries
  const std::string instance_;
  std::atomic<std::chrono::steady_clock::time_point> deadline_{std::chrono::steady_clock::time_point::max()};
  std::atomic<bool> is_refused_{false};
  mutable locks::Mutex mutex_;
  locks::ConditionVariable woken_;
  locks::ConditionVariable retry_woken_;
  std::deque<Command> urgent_ GUARDED_BY(mutex_);   // that somebody waits for
  std::deque<Command> queue_ GUARDED_BY(mutex_);    // the others
  std::deque<Command> retries_ GUARDED_BY(mutex_);  // of those, what came too late
  // The subjects of both, also while they are being sent.
  std::map<std::string, std::size_t> ordinary_ GUARDED_BY(mutex_);
  std::multiset<std::string> in_hand_ GUARDED_BY(mutex_);  // subjects that are being sent, or are to be retried
  std::deque<Command> later_ GUARDED_BY(mutex_);           // that the store has refused, and nobody waits for
  std::chrono::steady_clock::time_point later_at_ GUARDED_BY(mutex_){};
  std::set<std::string> in_store_
      GUARDED_BY(mutex_);  // subjects of claims that are won, and are being written to the file
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::atomic<bool> refusal_logged_{false};
  std::thread thread_;
  std::thread retry_thread_;
};

}  // namespace cluster
