// Which etcd cluster counts: the one that was listed first, by the id that every answer bears. An endpoint may lead to
// another one: a member lost its disk and was started as a new cluster, or an address is wrong. All clients of a
// sidecar share one object. Any thread; short locks. Nothing fails.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "etcd/client.h"
#include "etcd/options.h"
#include "locks/mutex.h"

namespace etcd {

class FollowedCluster {
 public:
  using Clock = std::chrono::steady_clock;
  // Cluster ids by endpoint; "": it answered, but gave no id.
  using Ids = std::map<std::string, std::string>;

  // `id`: of the cluster that was followed before; "": none was.
  explicit FollowedCluster(const Options& options, std::string id = "");

  std::string id() const;

  // Does an answer with that id count? If not, it comes from another cluster.
  bool counts(const std::string& endpoint, const std::string& id);
  bool is_foreign(const std::string& endpoint) const;
  bool has_foreign() const;

  // All endpoints were asked at `now`, and those that answered gave `ids`. True if that makes another cluster the
  // followed one.
  // If none is followed yet: the one that most endpoints have, or the only one that is seen. If one is: another
  // replaces it at once if all endpoints have that, since no place is left for a member of the followed one. In every
  // other case a cluster must have been the only one for `max_stale`, if another id was ever seen: members of the
  // right one may be away for a while.
  bool choose(const Ids& ids, Clock::time_point now);

  // Endpoints of other clusters. Those of all clusters, if none is followed and none has most endpoints.
  Ids foreign() const;
  // The same in words; nothing: all is well.
  std::optional<std::string> problem() const;

 private:
  void follow(const std::string& id, const Ids& ids) REQUIRES(mutex_);
  bool has_been_the_only_one(const std::string& id, Clock::time_point now) REQUIRES(mutex_);

  const std::size_t endpoints_;
  const std::chrono::milliseconds patience_;
  mutable locks::Mutex mutex_;
  std::string id_ GUARDED_BY(mutex_);
  Ids foreign_ GUARDED_BY(mutex_);
  bool is_contested_ GUARDED_BY(mutex_);
  std::string only_one_ GUARDED_BY(mutex_);
  Clock::time_point only_since_ GUARDED_BY(mutex_){};
};

std::string words_for_other_cluster(const std::string& endpoint, const std::string& id);

// "http://a:2379 (cluster 17), http://b:2379 (cluster 18)".
std::string to_text(const FollowedCluster::Ids& ids);

// The clusters of the members that gave theirs; nothing if all gave the same.
std::optional<FollowedCluster::Ids> different_clusters(const std::vector<MemberStatus>& members);

}  // namespace etcd
