// HTTP to one member of etcd at a time: a connection that is kept until another member is asked.
// One thread at a time; stop() is for any. The process has to ignore SIGPIPE. That nobody answers is a value. Every
// call ends with its time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "etcd/options.h"
#include "http/transfer.h"

namespace etcd {

struct Request {
  std::string path{};
  std::string body{};
  std::string token{};       // "": none
  bool needs_leader = true;  // a member without one is to answer so at once, and to end a watch
  std::uint64_t over = 0;    // number() of the connection that is open: only over that one; 0: over any
};

struct Answer {
  enum class Outcome {
    answered,
    not_sent,  // surely nothing was done
    closed,    // the same: the connection that it was to be sent over is closed
    unsure,    // it was sent, but not, or not wholly, answered
    too_long,  // what came is more than we take
  };
  Outcome outcome = Outcome::not_sent;
  int status = 0;
  std::string body{};
  std::string problem{};  // in words, unless it was answered
};

class Connection {
 public:
  using Clock = http::Transfers::Clock;
  static constexpr std::size_t longest_body = 64 << 20;

  explicit Connection(const Options& options);

  Answer post(const std::string& endpoint, const Request& request, Clock::time_point until);

  // Passes what comes to the sink as it comes, in pieces of any size, until the member ends it, the sink returns false
  // (`answered`, too) or nothing came for `silence`; the first piece is waited for until `begun`. If the status is
  // not 200 the sink sees nothing; the answer's body is filled instead.
  using Sink = http::TransferRequest::Sink;
  Answer stream(const std::string& endpoint, const Request& request, Clock::time_point begun,
                std::chrono::milliseconds silence, const Sink& sink);

  // The number of the connection that the last request used; 0 if none is kept. A member that was started anew, or
  // another one behind the same address, is always asked over a new one.
  std::uint64_t number() const { return is_kept_ ? transfers_.opened() : 0; }

  // Any thread: what is under way ends within some milliseconds, and so does whatever is begun later.
  void stop() { transfers_.stop(); }
  bool is_stopped() const { return transfers_.is_stopped(); }
  // False as soon as it is stopped.
  bool sleep_until(Clock::time_point until) { return transfers_.sleep_until(until); }

 private:
  Answer ask(const std::string& endpoint, const Request& request, const Clock::time_point& until, Sink sink);

  http::Transfers transfers_;
  bool is_kept_ = false;
};

}  // namespace etcd
