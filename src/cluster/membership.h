// This sidecar's membership: announces it on a lease (that nothing else hangs on), measures how stale the replica may
// be, and removes what departed sidecars have left behind.
// A thread of its own from construction to destruction; another one looks at etcd's members. Any thread may call.
#pragma once

#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cluster/shared_state.h"
#include "cluster/values.h"
#include "cluster/writer.h"
#include "etcd/client.h"
#include "locks/mutex.h"

namespace cluster {

class Membership {
 public:
  Membership(SharedState& state, Writer& writer, SidecarValue self);
  ~Membership();  // stop()
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  // Takes leave of the others.
  void stop();

  // What the follower learns. `with_use_marks`: sidecars whose use marks are in the store.
  void list(std::map<std::string, SidecarValue> sidecars, const std::set<std::string>& with_use_marks);
  void came(const std::string& id, const SidecarValue& sidecar);
  void went(const std::string& id);

  std::map<std::string, SidecarValue> sidecars() const;
  std::vector<etcd::MemberStatus> members() const;

 private:
  using Clock = std::chrono::steady_clock;
  void work();
  void look_at_members();
  void check_heartbeat();
  void keep_lease();
  void log_state();
  void log_foreign();
  void log_leaders(const std::vector<etcd::MemberStatus>& members);
  void publish_users();
  void forget_silent_users();
  void forget_tombstones();
  void reap_lost();
  void reap(const std::string& id);
  std::size_t rank() const;
  std::chrono::milliseconds grace() const;
  bool is_due(Clock::time_point& next, std::chrono::milliseconds every) const;

  SharedState& state_;
  Writer& writer_;
  const SidecarValue self_;
  mutable locks::Mutex mutex_;
  locks::ConditionVariable woken_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::map<std::string, SidecarValue> sidecars_ GUARDED_BY(mutex_);
  std::map<std::string, Clock::time_point> lost_ GUARDED_BY(mutex_);  // since when; use marks still there
  bool is_announced_ GUARDED_BY(mutex_) = true;                       // false: our key is gone though the lease is not
  std::vector<etcd::MemberStatus> members_ GUARDED_BY(mutex_);
  // The thread's own.
  etcd::Client client_;
  etcd::Client members_client_;
  std::int64_t lease_ = 0;
  Freshness::Time last_look_{0};
  etcd::Revision last_heartbeat_ = -1;
  Clock::time_point heartbeat_since_{};
  std::set<std::string> silent_;  // sidecars gone for so long that their users count no more
  Clock::time_point next_look_{}, next_lease_{}, next_note_{}, next_order_{};
  std::string why_away_;
  bool away_logged_ = false;
  std::map<std::string, Clock::time_point> foreign_logged_;  // by endpoint
  bool leaders_logged_ = false;                              // the other thread's
  std::thread thread_;
  std::thread members_thread_;
};

}  // namespace cluster
