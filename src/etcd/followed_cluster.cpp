#include "etcd/followed_cluster.h"

#include <algorithm>
#include <utility>

namespace etcd {

FollowedCluster::FollowedCluster(const Options& options, std::string id)
    : endpoints_(options.endpoints.size()),
      patience_(options.max_stale),
      id_(std::move(id)),
      is_contested_(!id_.empty()) {}

std::string FollowedCluster::id() const {
  const locks::MutexLock lock(mutex_);
  return id_;
}

bool FollowedCluster::counts(const std::string& endpoint, const std::string& id) {
  const locks::MutexLock lock(mutex_);
  if (id_.empty()) return false;
  if (id == id_) {
    foreign_.erase(endpoint);
    only_one_.clear();
    return true;
  }
  foreign_[endpoint] = id;
  return false;
}

bool FollowedCluster::is_foreign(const std::string& endpoint) const {
  const locks::MutexLock lock(mutex_);
  return !id_.empty() && foreign_.count(endpoint) > 0;
}

bool FollowedCluster::has_foreign() const {
  const locks::MutexLock lock(mutex_);
  return !foreign_.empty();
}

bool FollowedCluster::choose(const Ids& ids, Clock::time_point now) {
  std::map<std::string, std::size_t> counted;
  for (const auto& each : ids) ++counted[each.second];
  std::string most;  // the id of most of those that answered
  for (const auto& [id, count] : counted) {
    if (!id.empty() && (most.empty() || count > counted[most])) most = id;
  }
  const locks::MutexLock lock(mutex_);
  if (!id_.empty() && (counted.count(id_) > 0 || counted.count("") > 0 || most.empty())) {
    // An endpoint that gave no id may belong to the followed one.
    for (const auto& [endpoint, id] : ids) {
      if (id == id_) foreign_.erase(endpoint);
      if (id != id_ && !id.empty()) foreign_[endpoint] = id;
    }
    only_one_.clear();
    return false;
  }
  const bool is_only = counted.size() == 1;
  if (counted.size() - counted.count("") > 1) is_contested_ = true;
  if (!is_only || most.empty()) only_one_.clear();
  if (most.empty()) return false;
  const bool is_sure = id_.empty() ? 2 * counted[most] > endpoints_ : counted[most] == endpoints_;
  if (is_sure || (is_only && (!is_contested_ || has_been_the_only_one(most, now)))) {
    follow(most, ids);
    return true;
  }
  if (is_contested_) foreign_ = ids;
  return false;
}

bool FollowedCluster::has_been_the_only_one(const std::string& id, Clock::time_point now) {
  if (std::exchange(only_one_, id) != id) only_since_ = now;
  return now - only_since_ >= patience_;
}

void FollowedCluster::follow(const std::string& id, const Ids& ids) {
  id_ = id;
  is_contested_ = true;
  only_one_.clear();
  foreign_.clear();
  for (const auto& [endpoint, other] : ids) {
    if (other != id && !other.empty()) foreign_[endpoint] = other;
  }
}

FollowedCluster::Ids FollowedCluster::foreign() const {
  const locks::MutexLock lock(mutex_);
  return foreign_;
}

std::optional<std::string> FollowedCluster::problem() const {
  const locks::MutexLock lock(mutex_);
  if (foreign_.empty()) return std::nullopt;
  if (id_.empty()) {
    return "the endpoints belong to different etcd clusters, and none has most of them: " + to_text(foreign_) +
           "; new rooms are refused until cluster.endpoints is right";
  }
  return "not of etcd's cluster " + id_ + ", and therefore not asked: " + to_text(foreign_);
}

std::string words_for_other_cluster(const std::string& endpoint, const std::string& id) {
  return endpoint + ": it belongs to " + (id.empty() ? "no etcd cluster" : "another etcd cluster (" + id + ")");
}

std::string to_text(const FollowedCluster::Ids& ids) {
  std::string text;
  for (const auto& [endpoint, id] : ids) {
    text += (text.empty() ? "" : ", ") + endpoint + " (cluster " + (id.empty() ? "unknown" : id) + ")";
  }
  return text;
}

std::optional<FollowedCluster::Ids> different_clusters(const std::vector<MemberStatus>& members) {
  FollowedCluster::Ids ids;
  for (const MemberStatus& member : members) {
    if (!member.cluster_id.empty()) ids[member.endpoint] = member.cluster_id;
  }
  const bool is_one =
      std::all_of(ids.begin(), ids.end(), [&](const auto& id) { return id.second == ids.begin()->second; });
  return is_one ? std::nullopt : std::optional(std::move(ids));
}

}  // namespace etcd
