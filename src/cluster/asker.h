// Asks the members of etcd, one after the other, until one's answer is sure or the time is over; and says who we are
// where etcd wants to know it.
// One thread at a time; stop() is for any. What goes wrong is a Trouble.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "cluster/connection.h"
#include "cluster/engine.h"
#include "cluster/failure.h"
#include "cluster/turn.h"
#include "http/json.h"

namespace cluster {

class Asker {
 public:
  using Clock = Connection::Clock;
  using Deadline = Clock::time_point;

  explicit Asker(const Options& options);

  struct Question {
    std::string path{};
    std::string body{};
    bool needs_leader = true;
    bool changes = true;  // else an answer that did not come leaves nothing uncertain
  };
  // Reads an answer; false if it is none to that question.
  using Reader = std::function<bool(const http::Json& answer)>;

  Failure ask(const Question& question, Deadline deadline, const Reader& reader);

  // One member, once, and without a token.
  Failure ask_one(const std::string& endpoint, const Question& question, Deadline deadline, const Reader& reader);

  // One member, whose turn it is: the pieces of its answer. Sure is only what the sink says of them. After failures of
  // all members it waits first.
  Failure listen(const Question& question, std::chrono::milliseconds silence, const Connection::Sink& sink);
  // What became of that.
  void listened_well();
  void listened_badly();
  void forget_token() { token_.reset(); }

  void stop() { connection_.stop(); }
  bool is_stopped() const { return connection_.is_stopped(); }

 private:
  Failure attempt(const Question& question, Deadline until, const Reader& reader);
  Failure authenticate(Deadline until);
  static Failure understand(const Answer& answer, bool changes, const Reader& reader);

  const Options options_;
  Connection connection_;
  Turn turn_;
  std::optional<std::string> token_;  // "" if etcd wants none
  std::size_t listening_failed_ = 0;
};

}  // namespace cluster
