// This sidecar's membership: announces it on a lease (that nothing else hangs on) and how many users it has, measures how
// stale the replica may be, and has removed what departed sidecars have left behind.
// A thread of its own from construction to destruction; another one looks at etcd's members. Any thread may call.
#pragma once

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "cluster/departed.h"
#include "cluster/shared_state.h"
#include "cluster/sidecars.h"
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

  Sidecars& sidecars() { return sidecars_; }
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
  bool is_due(Clock::time_point& next, std::chrono::milliseconds every) const;

  SharedState& state_;
  Writer& writer_;
  const SidecarValue self_;
  Sidecars sidecars_;
  mutable locks::Mutex mutex_;
  locks::ConditionVariable woken_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<etcd::MemberStatus> members_ GUARDED_BY(mutex_);
  // The thread's own.
  etcd::Client client_;
  etcd::Client members_client_;
  Departed departed_;
  std::int64_t lease_ = 0;
  Freshness::Time last_look_{0};
  etcd::Revision last_heartbeat_ = -1;
  Clock::time_point heartbeat_since_{};
  Clock::time_point next_look_{}, next_lease_{}, next_note_{}, next_order_{};
  std::string why_away_;
  bool away_logged_ = false;
  std::map<std::string, Clock::time_point> foreign_logged_;  // by endpoint
  bool leaders_logged_ = false;                              // the other thread's
  std::thread thread_;
  std::thread members_thread_;
};

}  // namespace cluster
