// Keeps the token by which etcd knows this sidecar. etcd checks a password slowly on purpose (bcrypt), and does not
// stop when the caller gives up. So all connections share one token, and one check runs at a time. The check has a
// deadline of its own: it goes on while the requests that wait for the token fail at theirs.
//
// etcd hands a token to all members. A member that was started anew, or has not seen the token for five minutes,
// refuses it. So each connection keeps its copy until its own member refuses that.
// A thread of its own from construction to destruction; the functions are for any thread. Fails with
// std::system_error if there can be no thread. What goes wrong is a Failure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "etcd/attempt_time.h"
#include "etcd/connection.h"
#include "etcd/failure.h"
#include "etcd/followed_cluster.h"
#include "etcd/member_check.h"
#include "etcd/member_rotation.h"
#include "etcd/options.h"
#include "json/value.h"
#include "locks/mutex.h"

namespace etcd {

class Authenticator {
 public:
  using Clock = Connection::Clock;
  using Deadline = Clock::time_point;

  struct Token {
    std::string text{};        // "" if etcd wants none
    std::uint64_t number = 0;  // the first one is 1
    Clock::time_point made{};
  };

  // Nothing if the options name no user.
  static std::shared_ptr<Authenticator> for_user_of(const Options& options, std::shared_ptr<FollowedCluster> cluster);

  Authenticator(const Options& options, std::shared_ptr<FollowedCluster> cluster);
  ~Authenticator();
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  // Waits for a token with a greater number. `unreached`: none came before the deadline, or before `is_stopped` was
  // true at a wake(). `refused`: the password is wrong or cannot be read.
  Failure wait_for_newer(std::uint64_t number, Deadline deadline, const std::function<bool()>& is_stopped,
                         Token& token);
  // Waits for any token until the deadline, or until the later one while a member checks the password.
  void wait_for_check(Deadline deadline, Deadline while_checking);
  // All that wait look whether they are stopped.
  void wake();

 private:
  void work();
  Failure authenticate(Token& token);
  Failure find_member();
  Failure check_member();
  bool counts(const json::Value& answer);
  Failure check_password(const std::string& password, Token& token);
  void delay_next_check();
  void note(std::string why, bool is_checking);

  const Options options_;
  const std::shared_ptr<FollowedCluster> cluster_;
  Connection connection_;  // the thread's; its stop() is for any

  // The thread's own.
  MemberCheck check_;
  bool is_stranger_ = false;  // the member whose turn it is does not say to which cluster it belongs
  MemberRotation rotation_;
  AttemptTime attempt_time_;
  std::mt19937 random_{std::random_device{}()};
  std::size_t in_vain_ = 0;                      // checks in a row that brought no token, or none that lasted
  Clock::time_point next_check_{};               // not before, but for another password
  std::optional<Clock::time_point> made_;        // the last check brought a token, then
  std::optional<std::string> refused_password_;  // by the last check
  Failure refusal_;

  locks::Mutex mutex_;
  locks::ConditionVariable wanted_;   // for the thread
  locks::ConditionVariable settled_;  // for those that wait
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool is_wanted_ GUARDED_BY(mutex_) = false;
  bool is_checking_ GUARDED_BY(mutex_) = false;
  Token token_ GUARDED_BY(mutex_);
  std::uint64_t refusals_ GUARDED_BY(mutex_) = 0;
  Failure last_refusal_ GUARDED_BY(mutex_);
  std::string why_ GUARDED_BY(mutex_) = "etcd has not been asked for one";
  std::thread thread_;
};

}  // namespace etcd
