// Follows the shared store: lists it, then takes in each change, in order, into replica, ledger and file. Goes on after a gap
// where it was; lists anew if the store has compacted that away, or is another one or one that was put back.
// A thread of its own from construction to destruction.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cluster/applier.h"
#include "cluster/shared_state.h"
#include "cluster/sidecars.h"
#include "cluster/writer.h"
#include "etcd/client.h"
#include "locks/mutex.h"

namespace cluster {

class Follower {
 public:
  Follower(SharedState& state, Writer& writer, Sidecars& sidecars);
  ~Follower();  // stop()
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Nothing more is followed.
  void stop();

  // Any thread: has it been listed since the construction, and are changes coming in?
  bool is_listed() const { return is_listed_; }
  bool is_watching() const { return is_watching_; }

 private:
  // The newest change that is known of.
  struct HistoryCheck {
    std::string key{};
    std::optional<std::string> value{};  // if that is known
    etcd::Revision modified = 0;         // 0: there is none
  };
  static HistoryCheck history_check_of(const etcd::KeyValue& item) { return {item.key, item.value, item.modified}; }

  void work();
  void prepare_history_check();
  // Is it still the store that was followed? False: it could not be asked.
  bool checks_history();
  bool list();
  bool read(Listing& listing);
  bool read_range(std::string first, const std::string& last, Listing& listing, std::vector<etcd::KeyValue>& into);
  bool apply_events(const etcd::Header& header, const std::vector<etcd::Event>& events);
  bool rests(std::chrono::milliseconds time);

  SharedState& state_;
  std::atomic<bool> is_listed_{false};
  std::atomic<bool> is_watching_{false};
  locks::Mutex mutex_;
  locks::ConditionVariable woken_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  // The thread's own.
  Applier applier_;
  bool must_list_ = true;
  bool is_other_history_ = false;
  HistoryCheck history_check_;
  bool has_begun_ = false;  // since the watch ended last
  bool error_logged_ = false;
  etcd::Client client_;
  std::thread thread_;
};

}  // namespace cluster
