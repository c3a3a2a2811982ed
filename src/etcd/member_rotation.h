// Which member is asked next, and how long one waits once all have failed. One thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace etcd {

class MemberRotation {
 public:
  using Clock = std::chrono::steady_clock;

  // The first is chosen at random, so that many sidecars spread over the members.
  explicit MemberRotation(std::vector<std::string> endpoints);

  bool has_none() const { return members_.empty(); }
  const std::string& endpoint() const { return members_[current_].endpoint; }

  // Goes to the first member that may be asked, from the current one on; false: none may.
  bool skip_to(const std::function<bool(const std::string& endpoint)>& may_be_asked);

  void worked();
  // Goes to the next member; the one that failed is passed over for a while if there is another.
  void failed(Clock::time_point now);

  // After so many failures in a row: 0, but 20 ms once all have failed, one after the other, and after each such round
  // twice as long, up to a second; less a random part of up to a half.
  std::chrono::milliseconds pause_after(std::size_t failures);

 private:
  struct Member {
    std::string endpoint;
    Clock::time_point passed_over_until{};
  };
  std::vector<Member> members_;
  std::size_t current_ = 0;
  std::mt19937 random_{std::random_device{}()};
};

}  // namespace etcd
