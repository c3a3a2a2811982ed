#include "etcd/client.h"

#include <map>
#include <optional>
#include <utility>

#include "etcd/answers.h"
#include "etcd/asker.h"
#include "etcd/followed_cluster.h"
#include "etcd/requests.h"
#include "etcd/watch_stream.h"
#include "json/value.h"

namespace etcd {
namespace {

// What a stream's answer consists of, or that answer itself.
const json::Value& result_in(const json::Value& answer) {
  const json::Value* result = answer.find("result");
  return result != nullptr ? *result : answer;
}

}  // namespace

class Client::Inside {
 public:
  Inside(const Options& given, std::shared_ptr<FollowedCluster> its_cluster,
         std::shared_ptr<Authenticator> its_authenticator)
      : options(given),
        cluster(its_cluster ? std::move(its_cluster) : std::make_shared<FollowedCluster>(given)),
        authenticator(its_authenticator ? std::move(its_authenticator) : Authenticator::for_user_of(given, cluster)),
        asker(given, authenticator, cluster) {}

  // `read` makes the value of an answer, or nothing if it is none.
  template <typename T, typename Read>
  Reply<T> ask(const Asker::Question& question, std::optional<Deadline> deadline, const Read& read) {
    Reply<T> reply;
    const auto outcome = asker.ask(question, deadline, [&](const json::Value& answer) {
      const auto header = header_of(result_in(answer));
      auto value = read(result_in(answer));
      if (!header || !value) return false;
      reply.header = *header;
      reply.value = std::move(*value);
      return true;
    });
    reply.error = outcome.error;
    reply.why = outcome.why;
    return reply;
  }

  const Options options;
  const std::shared_ptr<FollowedCluster> cluster;
  const std::shared_ptr<Authenticator> authenticator;
  Asker asker;
};

Client::Client(const Options& options, std::shared_ptr<FollowedCluster> cluster,
               std::shared_ptr<Authenticator> authenticator)
    : inside_(std::make_unique<Inside>(options, std::move(cluster), std::move(authenticator))) {}
Client::~Client() = default;

Reply<TransactionResult> Client::transact(const Transaction& transaction, std::optional<Deadline> deadline) {
  return inside_->ask<TransactionResult>(
      {"/v3/kv/txn", to_json(transaction)}, deadline,
      [&](const json::Value& answer) { return transaction_result_of(answer, transaction); });
}

Reply<Page> Client::range(const RangeRequest& request, std::optional<Deadline> deadline) {
  return inside_->ask<Page>({"/v3/kv/range", to_json(request), true, false}, deadline, [&](const json::Value& answer) {
    auto page = page_of(answer);
    return page && answers(*page, request) ? std::move(page) : std::nullopt;
  });
}

Reply<std::int64_t> Client::grant_lease(std::chrono::seconds time, std::optional<Deadline> deadline) {
  return inside_->ask<std::int64_t>({"/v3/lease/grant", grant_request(time), false}, deadline,
                                    [](const json::Value& answer) {
                                      const auto id = number_of(answer, "ID");
                                      return id && *id != 0 ? id : std::nullopt;
                                    });
}

Reply<bool> Client::keep_lease(std::int64_t lease, std::optional<Deadline> deadline) {
  return inside_->ask<bool>({"/v3/lease/keepalive", lease_request(lease), false}, deadline,
                            [](const json::Value& answer) {
                              const auto left = number_of(answer, "TTL");  // left out if the lease is gone
                              return left ? std::optional(*left > 0) : std::nullopt;
                            });
}

Reply<bool> Client::revoke_lease(std::int64_t lease, std::optional<Deadline> deadline) {
  return inside_->ask<bool>({"/v3/lease/revoke", lease_request(lease), false}, deadline,
                            [](const json::Value&) { return std::optional(true); });
}

std::vector<MemberStatus> Client::members() {
  std::vector<MemberStatus> members;
  std::map<std::string, std::string> names;  // by id
  std::vector<std::string> ids;
  Asker& asker = inside_->asker;
  for (const std::string& endpoint : inside_->options.endpoints) {
    MemberStatus& member = members.emplace_back();
    std::string& id = ids.emplace_back();
    member.endpoint = endpoint;
    auto outcome = asker.ask_one(endpoint, {"/v3/maintenance/status", "{}", false}, [&](const json::Value& answer) {
      const json::Value* header = answer.find("header");
      if (header == nullptr) return false;
      id = text_of(*header, "member_id");
      member.cluster_id = text_of(*header, "cluster_id");
      const std::string leader = text_of(answer, "leader");
      member.version = text_of(answer, "version");
      member.has_leader = !leader.empty() && leader != "0";
      member.is_leader = member.has_leader && leader == id;
      const json::Value* errors = answer.find("errors");
      if (errors != nullptr && errors->array() != nullptr && !errors->array()->empty()) {
        const json::Value& first = errors->array()->front();
        member.problem = first.is_string() ? *first.string() : first.dump();
      }
      return true;
    });
    // Later versions of 3.4, 3.5 and 3.6 give that to root only, where etcd wants a user.
    if (outcome.error == ErrorCode::refused) outcome = asker.ask_for_cluster(endpoint, member.cluster_id);
    if (outcome.error != ErrorCode::none) {
      member.problem = outcome.why;
    } else if (!inside_->cluster->id().empty() && !inside_->cluster->counts(endpoint, member.cluster_id)) {
      member.problem = words_for_other_cluster(endpoint, member.cluster_id);
    } else if (names.empty()) {
      asker.ask_one(endpoint, {"/v3/cluster/member/list", "{}", false}, [&](const json::Value& answer) {
        const json::Value* list = answer.find("members");
        if (list == nullptr || list->array() == nullptr) return false;
        for (const json::Value& each : *list->array()) names[text_of(each, "ID")] = text_of(each, "name");
        return true;
      });
    }
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (const auto name = names.find(ids[i]); name != names.end()) members[i].name = name->second;
  }
  return members;
}

WatchEnd Client::watch(std::string_view key, std::string_view range_end, Revision from,
                       std::chrono::milliseconds silence, const Sink& sink) {
  Asker& asker = inside_->asker;
  const Asker::Question question{"/v3/watch", watch_request(key, range_end, from)};
  const auto begun = Clock::now();
  for (;;) {
    WatchStream stream(sink, [&](const Header& header) { return asker.counts(header.cluster_id); });
    const auto outcome = asker.listen(question, silence, [&](std::string_view piece) { return stream.take(piece); });
    stream.finish();
    if (asker.is_stopped()) return {WatchEnd::Why::stopped, ""};
    const bool is_of_token = stream.is_of_token() || (outcome.of_token && !outcome.of_stranger);
    if (is_of_token) {
      const bool may_another_do = asker.forget_token(begun);
      if (!stream.has_begun() && !may_another_do) {
        return {WatchEnd::Why::refused, stream.end() ? stream.end()->words : outcome.why};
      }
      if (!stream.has_begun()) continue;
    }
    WatchEnd end;
    if (stream.end()) {
      end = *stream.end();
    } else {
      end.why = outcome.of_stranger ? WatchEnd::Why::lost : why_of(outcome.error);
      end.words = outcome.why.empty() ? "the member ended the watch" : outcome.why;
    }
    if (stream.has_begun()) asker.listened_well();
    if (end.why == WatchEnd::Why::lost) asker.listened_badly();
    return end;
  }
}

void Client::wait_for_password_check(Deadline while_checking) {
  if (inside_->authenticator) {
    inside_->authenticator->wait_for_check(Clock::now() + inside_->options.timeout, while_checking);
  }
}

bool Client::finds_replacement() { return inside_->asker.finds_replacement(); }

void Client::stop() { inside_->asker.stop(); }

std::string end_of_prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::string(1, '\0');  // etcd's word for: to the last key
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace etcd
