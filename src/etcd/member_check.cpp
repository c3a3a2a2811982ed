#include "etcd/member_check.h"

#include <utility>

#include "etcd/answers.h"
#include "etcd/requests.h"
#include "json/value.h"

namespace etcd {

MemberCheck::MemberCheck(const Options& options, Connection& connection, std::shared_ptr<FollowedCluster> cluster)
    : options_(options), connection_(connection), cluster_(std::move(cluster)) {}

Failure MemberCheck::pass(const std::string& endpoint, const std::string& token, Clock::time_point until) {
  const bool is_open = passed_ != 0 && connection_.number() == passed_ && endpoint == passed_endpoint_;
  if (is_open && passed_id_ == cluster_->id()) return {};
  passed_ = 0;
  std::string id;
  Failure failure = ask_for_id(endpoint, token, until, id);
  if (failure.error != ErrorCode::none) return failure;
  if (!cluster_->counts(endpoint, id)) return failure_of(ErrorCode::unreached, words_for_other_cluster(endpoint, id));
  passed_ = connection_.number();
  passed_endpoint_ = endpoint;
  passed_id_ = std::move(id);
  return {};
}

bool MemberCheck::choose(const std::string& token, Clock::time_point until) {
  FollowedCluster::Ids ids;
  auto left = static_cast<int>(options_.endpoints.size());
  for (const std::string& endpoint : options_.endpoints) {
    const auto now = Clock::now();
    std::string id;
    const Failure& failure = failures_[endpoint] = ask_for_id(endpoint, token, now + (until - now) / left--, id);
    if (failure.error == ErrorCode::none || failure.of_stranger) ids[endpoint] = id;
  }
  return cluster_->choose(ids, Clock::now());
}

Failure MemberCheck::select_member(MemberRotation& local) const {
  if (local.skip_to([this](const std::string& endpoint) { return !cluster_->is_foreign(endpoint); })) return {};
  return failure_of(ErrorCode::unreached, "all endpoints belong to another etcd cluster");
}

Failure MemberCheck::failure_at(const std::string& endpoint) const {
  const auto failure = failures_.find(endpoint);
  return failure != failures_.end() ? failure->second : Failure();
}

// Most versions of etcd give the list of members to anybody, the latest ones not. A user of the prefix may also read
// there; the member answers that by itself (serializable), so also without a leader.
Failure MemberCheck::ask_for_id(const std::string& endpoint, const std::string& token, Clock::time_point until,
                                std::string& id) {
  const Request questions[] = {{"/v3/cluster/member/list", "{}", token, false},
                               {"/v3/kv/range", own_range_request(options_.prefix), token, false}};
  Failure failure;
  for (const Request& question : questions) {
    const Answer answer = connection_.post(endpoint, question, until);
    failure = failure_in(answer, false, [&](const json::Value& json) {
      id = cluster_id_of(json);
      return !id.empty();
    });
    if (failure.error == ErrorCode::unknown) failure.error = ErrorCode::unreached;  // nothing was to be done
    if (failure.error != ErrorCode::refused) return failure;
  }
  failure.of_stranger = true;
  return failure;
}

}  // namespace etcd
