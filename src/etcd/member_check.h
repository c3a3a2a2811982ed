// Before a member is asked anything over a new connection, it is asked to which cluster it belongs: what is meant for
// one cluster must not be done in another, and refusals do not bear the cluster's id.
// One thread at a time. What goes wrong is a Failure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "etcd/connection.h"
#include "etcd/failure.h"
#include "etcd/followed_cluster.h"
#include "etcd/member_rotation.h"
#include "etcd/options.h"

namespace etcd {

class MemberCheck {
 public:
  using Clock = Connection::Clock;

  MemberCheck(const Options& options, Connection& connection, std::shared_ptr<FollowedCluster> cluster);

  // `none`: the open connection leads to a member of the followed cluster, and has the number passed().
  // `unreached`: another cluster, or no answer. Else the member refuses to say, and may belong to any (of_stranger).
  Failure pass(const std::string& endpoint, const std::string& token, Clock::time_point until);
  std::uint64_t passed() const { return passed_; }

  // Asks all endpoints, each for its share of the time, and has FollowedCluster choose. True if another cluster than
  // before is followed now.
  bool choose(const std::string& token, Clock::time_point until);

  // Passes over the members of other clusters; `unreached`: there is no other.
  Failure select_member(MemberRotation& local) const;

  // What came of asking that endpoint then.
  Failure failure_at(const std::string& endpoint) const;

  // Asks whatever member that is.
  Failure ask_for_id(const std::string& endpoint, const std::string& token, Clock::time_point until, std::string& id);

 private:
  const Options options_;
  Connection& connection_;
  const std::shared_ptr<FollowedCluster> cluster_;
  std::string passed_endpoint_;
  std::string passed_id_;
  std::uint64_t passed_ = 0;
  std::map<std::string, Failure> failures_;  // by endpoint, when all were asked
};

}  // namespace etcd
