// Follows the shared store: lists it, then takes in each change, in order, into replica, ledger and file. Goes on after a gap
// where it was; lists anew if the store has compacted that away, or is another one or one that was put back.
// A thread of its own from construction to destruction.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cluster/membership.h"
#include "cluster/shared_state.h"
#include "cluster/writer.h"
#include "etcd/client.h"
#include "locks/mutex.h"

namespace cluster {

class Follower {
 public:
  Follower(SharedState& state, Writer& writer, Membership& membership);
  ~Follower();  // stop()
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Nothing more is followed.
  void stop();

  // Any thread: has it been listed since the construction, and are changes coming in?
  bool is_listed() const { return is_listed_; }
  bool is_watching() const { return is_watching_; }

 private:
  // What came with a call: drains, which the file takes in without the lock, and rooms that an operator has released
  // by force.
  struct News {
    std::vector<std::pair<std::string, domain::Draining>> drains;
    std::set<std::string> forced;
  };
  struct Listing {
    std::string cluster_id;
    etcd::Revision revision = 0;
    std::vector<etcd::KeyValue> items;
    std::vector<etcd::KeyValue> use_marks;
  };

  using RowAt = std::pair<domain::Assignment, etcd::Revision>;
  struct ListedRooms {
    std::set<std::string, std::less<>> names;
    std::vector<RowAt> rows;          // to be followed
    std::vector<RowAt> to_republish;  // into the store, over that revision
  };

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
  void take(const Listing& listing, News& news) REQUIRES(state_.mutex);
  void take_rooms(const Listing& listing, bool is_other_history, bool is_restored) REQUIRES(state_.mutex);
  ListedRooms read_rooms(const Listing& listing, bool is_restored) REQUIRES(state_.mutex);
  void follow_listed(const std::vector<RowAt>& rows, bool is_other_history) REQUIRES(state_.mutex);
  void end_missing(etcd::Revision as_of, bool is_other_history, ListedRooms& listed) REQUIRES(state_.mutex);
  void apply_use_marks(const Listing& listing) REQUIRES(state_.mutex);
  bool apply_events(const etcd::Header& header, const std::vector<etcd::Event>& events);
  void follow(app::Registry::Transaction& local, const etcd::Event& event, News& news) REQUIRES(state_.mutex);
  void follow_room(app::Registry::Transaction& local, const std::string& room, const etcd::Event& event,
                   const News& news) REQUIRES(state_.mutex);
  void empty_by_force(app::Registry::Transaction& local, const std::string& room);
  void forget_emptied();
  void follow_tombstone(app::Registry::Transaction& local, const std::string& room, const etcd::Event& event)
      REQUIRES(state_.mutex);
  void follow_failover(app::Registry::Transaction& local, const std::string& gateway, const etcd::Event& event)
      REQUIRES(state_.mutex);
  void follow_sidecar(const std::string& id, const etcd::Event& event);
  void follow_use_mark(app::Registry::Transaction& local, const ParsedKey& key, const etcd::Event& event)
      REQUIRES(state_.mutex);
  void follow_drains(const News& news);
  bool rests(std::chrono::milliseconds time);

  SharedState& state_;
  Writer& writer_;
  Membership& membership_;
  std::atomic<bool> is_listed_{false};
  std::atomic<bool> is_watching_{false};
  locks::Mutex mutex_;
  locks::ConditionVariable woken_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  // The thread's own.
  std::map<std::string, domain::Draining> undone_;
  std::vector<std::string> emptied_;  // by force, and with sessions that are to be forgotten
  bool must_list_ = true;
  bool is_other_history_ = false;
  HistoryCheck history_check_;
  bool has_begun_ = false;  // since the watch ended last
  bool error_logged_ = false;
  etcd::Client client_;
  std::thread thread_;
};

}  // namespace cluster
