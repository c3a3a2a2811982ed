// Asks the members of etcd, one after the other, until one's answer is sure or the time is over; where etcd wants a
// user, with the token that all connections share. Only the cluster that is followed is asked, and only its
// answers count; from any other the question counts as not reached.
// One thread at a time; stop() is for any. What goes wrong is an ErrorCode.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "etcd/attempt_time.h"
#include "etcd/authenticator.h"
#include "etcd/client.h"
#include "etcd/connection.h"
#include "etcd/failure.h"
#include "etcd/followed_cluster.h"
#include "etcd/member_check.h"
#include "etcd/member_rotation.h"
#include "json/value.h"

namespace etcd {

class Asker {
 public:
  using Clock = Connection::Clock;
  using Deadline = Clock::time_point;

  // Without an authenticator no token is sent.
  Asker(const Options& options, std::shared_ptr<Authenticator> authenticator, std::shared_ptr<FollowedCluster> cluster);

  struct Question {
    std::string path{};
    std::string body{};
    bool needs_leader = true;
    bool changes = true;  // else an answer that did not come leaves nothing uncertain
  };
  // Reads an answer; false if it is none to that question.
  using Reader = std::function<bool(const json::Value& answer)>;

  // Without a deadline: nobody waits for the answer, and one attempt that takes its time ends it (attempt_time.h). A
  // token is waited for until the deadline; without one nothing was sent.
  Failure ask(const Question& question, std::optional<Deadline> deadline, const Reader& reader);

  // One member, whatever its cluster, once, without a deadline and without waiting for a token.
  Failure ask_one(const std::string& endpoint, const Question& question, const Reader& reader);
  // The same, for its cluster's id, with a token.
  Failure ask_for_cluster(const std::string& endpoint, std::string& id);

  // If members of other clusters have been met: asks all. True if one of those clusters has replaced the followed one,
  // and is followed from now on.
  bool finds_replacement();

  // One member, whose turn it is: the pieces of its answer. Sure is only what the sink says of them. After failures of
  // all members it waits first. Its beginning has the time of an attempt without a deadline.
  Failure listen(const Question& question, std::chrono::milliseconds silence, const Connection::Sink& sink);
  // Does that member's answer count?
  bool counts(const std::string& cluster_id) { return cluster_->counts(rotation_.endpoint(), cluster_id); }
  // What became of that.
  void listened_well();
  void listened_badly();
  // The member has refused the token. True if another one may do: that one was made before `begun`.
  bool forget_token(Clock::time_point begun);

  void stop();
  bool is_stopped() const { return connection_.is_stopped(); }

 private:
  Failure attempt(const Question& question, std::optional<Deadline> deadline, const Reader& reader, bool is_last);
  Failure wait_for_token(std::optional<Deadline> deadline);
  Failure select_member(std::optional<Deadline> deadline);
  Failure post(const Question& question, std::optional<Deadline> deadline, const Reader& reader);
  // Over a connection that has been checked.
  Failure send(Answer& answer, std::optional<Deadline> deadline,
               const std::function<Answer(std::uint64_t over)>& over_connection);
  void note_time(const Answer& answer, Clock::time_point begun);
  Deadline end_of_attempt(std::optional<Deadline> deadline) const;

  const Options options_;
  const std::shared_ptr<Authenticator> authenticator_;
  const std::shared_ptr<FollowedCluster> cluster_;
  Connection connection_;
  MemberCheck check_;
  MemberRotation rotation_;
  AttemptTime attempt_time_;
  std::optional<Authenticator::Token> token_;
  std::uint64_t refused_token_ = 0;  // the number of the last one
  std::size_t listening_failed_ = 0;
};

}  // namespace etcd
