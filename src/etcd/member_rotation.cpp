#include "etcd/member_rotation.h"

#include <algorithm>
#include <utility>

namespace etcd {
namespace {

constexpr std::chrono::seconds passed_over{5};
constexpr std::chrono::milliseconds shortest_pause{20};
constexpr std::chrono::milliseconds longest_pause{1000};

}  // namespace

MemberRotation::MemberRotation(std::vector<std::string> endpoints) {
  for (auto& endpoint : endpoints) members_.push_back(Member{std::move(endpoint), {}});
  if (!members_.empty()) current_ = random_() % members_.size();
}

bool MemberRotation::skip_to(const std::function<bool(const std::string&)>& may_be_asked) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const std::size_t candidate = (current_ + i) % members_.size();
    if (!may_be_asked(members_[candidate].endpoint)) continue;
    current_ = candidate;
    return true;
  }
  return false;
}

void MemberRotation::worked() { members_[current_].passed_over_until = {}; }

void MemberRotation::failed(Clock::time_point now) {
  members_[current_].passed_over_until = now + passed_over;
  const std::size_t next = current_ + 1;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    current_ = (next + i) % members_.size();
    if (members_[current_].passed_over_until <= now) return;
  }
  current_ = next % members_.size();
}

std::chrono::milliseconds MemberRotation::pause_after(std::size_t failures) {
  if (members_.empty() || failures == 0 || failures % members_.size() != 0) return {};
  const std::size_t rounds = std::min<std::size_t>(failures / members_.size(), 7);
  const auto most = std::min(shortest_pause * (1 << (rounds - 1)), longest_pause);
  std::uniform_int_distribution<long> part(most.count() / 2, most.count());
  return std::chrono::milliseconds(part(random_));
}

}  // namespace etcd
