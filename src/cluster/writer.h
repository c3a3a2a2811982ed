// Does deeds in the shared store: one thread takes what waits into one transaction, as the journal does with the
// disk, and tells everybody what came of it. What came too late there, and no caller waits for, is retried by a second
// thread, which gives the store more time (cluster/attempt_time.h) while the first one goes on. push() never blocks and
// may be called under the desk's lock. What an answer says is in the replica and in the ledger before anybody is told.
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

#include "cluster/deed.h"
#include "cluster/engine.h"
#include "cluster/shared_state.h"
#include "locks/mutex.h"

namespace cluster {

class Writer : public std::enable_shared_from_this<Writer> {
 public:
  // Held by a shared pointer: a claim that is being written to the file keeps it.
  explicit Writer(std::shared_ptr<SharedState> state);
  ~Writer();  // stop()
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void push(Deed deed);
  // Whatever has not been done by then is given up.
  void hurry(std::chrono::steady_clock::time_point deadline) { hurried_ = deadline; }
  // No deed is begun any more; those that wait are told that nothing came of them.
  void stop();
  // Deeds that nobody waits for, and that the store has not taken yet.
  std::size_t backlog() const;
  // Any thread: what was asked for last is not allowed, or there is no room for it.
  bool is_refused() const { return is_refused_; }

 private:
  // What one thread has in hand.
  struct Batch {
    std::deque<Deed> deeds{};
    std::vector<std::string> subjects{};  // of those that are sent
    std::vector<std::string> ordinary{};  // of those that no caller waits for, or that wait behind such a one
  };

  void retry();
  void enqueue(Deed deed, bool in_front) REQUIRES(mutex_);
  Batch take();
  Batch take_retries();
  void end(const Batch& batch);
  void perform(std::deque<Deed> batch, Engine& engine);
  void send(std::deque<Deed> batch, Engine& engine);
  Engine::Deadline deadline_of(const std::deque<Deed>& batch) const;
  void name_standbys(std::deque<Deed>& batch, Engine& engine);
  void finish(Deed& deed, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void finish_claim(Deed& deed, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void finish_give_up(Deed& deed, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void finish_carry(Deed& deed, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void finish_release(Deed& deed, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void finish_use(Deed& deed, const Conclusion& conclusion) REQUIRES(state_.mutex);
  void give_back(std::deque<Deed> batch, bool refused);
  bool is_over(const Deed& deed) const;
  bool is_waited_for(const Deed& deed) const;
  static void abandon(Deed& deed);
  void settle(const Deed& deed, const app::Grant& grant) REQUIRES(state_.mutex);
  std::chrono::steady_clock::time_point hurried() const { return hurried_; }
  void catch_up(const std::string& room) REQUIRES(state_.mutex);
  void end_room(domain::Ledger& ledger, const std::string& room, std::optional<std::string_view> tombstone)
      REQUIRES(state_.mutex);

  const std::shared_ptr<SharedState> shared_;
  SharedState& state_;
  Engine engine_;
  Engine patient_engine_;  // of the retries
  const std::string instance_;
  std::atomic<std::chrono::steady_clock::time_point> hurried_{std::chrono::steady_clock::time_point::max()};
  std::atomic<bool> is_refused_{false};
  mutable locks::Mutex mutex_;
  locks::ConditionVariable woken_;
  locks::ConditionVariable retry_woken_;
  std::deque<Deed> urgent_ GUARDED_BY(mutex_);   // that somebody waits for
  std::deque<Deed> queue_ GUARDED_BY(mutex_);    // the others
  std::deque<Deed> retries_ GUARDED_BY(mutex_);  // of those, what came too late
  // The subjects of both, also while they are being sent.
  std::map<std::string, std::size_t> ordinary_ GUARDED_BY(mutex_);
  std::multiset<std::string> in_hand_ GUARDED_BY(mutex_);  // subjects that are being sent, or are to be retried
  std::deque<Deed> later_ GUARDED_BY(mutex_);              // that the store has refused, and nobody waits for
  std::chrono::steady_clock::time_point later_at_ GUARDED_BY(mutex_){};
  std::set<std::string> in_store_
      GUARDED_BY(mutex_);  // subjects of claims that are won, and are being written to the file
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::atomic<bool> refusal_told_{false};
  std::thread thread_;
  std::thread retry_thread_;
};

}  // namespace cluster
