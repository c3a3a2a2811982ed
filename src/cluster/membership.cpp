#include "cluster/membership.h"

#include <pthread.h>

#include <algorithm>
#include <random>
#include <utility>

#include "cluster/operations.h"
#include "logging/log.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr auto lease_time = 15s;
constexpr auto lease_every = 5s;
constexpr auto look_every = 2s;
// The interval between two heartbeats. A member that is silent for three of them counts as lost.
constexpr auto heartbeat_every = 4s;
constexpr auto members_every = 10s;
constexpr auto note_every = 10s;
constexpr auto foreign_every = 1min;
constexpr auto order_every = 10s;
constexpr std::size_t rooms_announced_per_slice = 256;
// Commands that wait while numbers of users are published; else those wait.
constexpr std::size_t most_unpublished = 512;

std::chrono::milliseconds some_more(std::chrono::milliseconds most) {
  thread_local std::mt19937 random{std::random_device{}()};
  return std::chrono::milliseconds{random() % static_cast<unsigned>(most.count())};
}

}  // namespace

Membership::Membership(SharedState& state, Writer& writer, SidecarValue self)
    : state_(state),
      writer_(writer),
      self_(std::move(self)),
      sidecars_(state.sidecar, self_.instance),
      client_(state.options, state.cluster, state.authenticator),
      members_client_(state.options, state.cluster, state.authenticator),
      departed_(state, writer, sidecars_, client_),
      thread_([this] { work(); }),
      members_thread_([this] { look_at_members(); }) {}

Membership::~Membership() { stop(); }

void Membership::stop() {
  {
    const locks::MutexLock lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  client_.stop();
  members_client_.stop();
  woken_.notify_all();
  thread_.join();
  members_thread_.join();
  // Its rooms are kept as those of one that was killed are: it may be back at once.
  if (lease_ == 0 || state_.freshness.failing_for() > 0ms) return;
  etcd::Client last(state_.options, state_.cluster, state_.authenticator);
  last.revoke_lease(lease_, Clock::now() + std::min<std::chrono::milliseconds>(state_.options.attempt_timeout, 1s));
}

void Membership::work() {
  ::pthread_setname_np(::pthread_self(), "membership");
  locks::MutexLock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    check_heartbeat();
    keep_lease();
    log_state();
    publish_users();
    departed_.forget_silent_users();
    if (is_due(next_order_, order_every) && state_.freshness.failing_for() == 0ms) {
      departed_.forget_tombstones();
      departed_.reap_lost();
    }
    const bool fails = state_.freshness.failing_for() > 0ms;
    lock.lock();
    woken_.wait_for(lock, fails ? 100ms : 250ms, [this]() REQUIRES(mutex_) { return stopping_; });
  }
}

void Membership::look_at_members() {
  ::pthread_setname_np(::pthread_self(), "members");
  locks::MutexLock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    auto members = members_client_.members();
    log_leaders(members);
    lock.lock();
    members_ = std::move(members);
    woken_.wait_for(lock, members_every, [this]() REQUIRES(mutex_) { return stopping_; });
  }
}

bool Membership::is_due(Clock::time_point& next, std::chrono::milliseconds every) const {
  const auto now = Clock::now();
  if (now < next) return false;
  next = now + every;
  return true;
}

// The newest heartbeat that there is, by a consistent read: if it is newer than the one of the last look, then all that came
// before that look is older than it, and has been followed once it has.
void Membership::check_heartbeat() {
  if (state_.freshness.failing_for() == 0ms && !is_due(next_look_, look_every)) return;
  const auto sent = Freshness::now();
  etcd::RangeRequest request;
  request.key = state_.keys.heartbeat();
  const auto reply = client_.range(request);
  if (!reply.ok()) {
    if (reply.error != etcd::ErrorCode::refused) state_.freshness.fails(sent);
    why_away_ = reply.why;
    return;
  }
  state_.freshness.works();
  const etcd::Revision heartbeat = reply.value.items.empty() ? 0 : reply.value.items.front().modified;
  const auto last = std::exchange(last_look_, sent);
  if (heartbeat != last_heartbeat_) {
    if (last_heartbeat_ >= 0 && heartbeat > last_heartbeat_) state_.freshness.answered(last, heartbeat);
    last_heartbeat_ = heartbeat;
    heartbeat_since_ = Clock::now() + some_more(1s);
    if (heartbeat > 0) return;
  }
  if (heartbeat > 0 && Clock::now() < heartbeat_since_ + heartbeat_every) return;
  etcd::Transaction next;
  next.compares.push_back(is_as_of(request.key, heartbeat));
  next.success.push_back(put(request.key, ""));
  const auto put_at = Freshness::now();
  const auto done = client_.transact(next);
  if (done.ok() && done.value.succeeded) state_.freshness.answered(put_at, done.header.revision);
}

void Membership::keep_lease() {
  const bool is_announced = sidecars_.is_announced();
  if (lease_ != 0 && is_announced && !is_due(next_lease_, lease_every)) return;
  if (state_.freshness.failing_for() > 0ms) return;
  if (lease_ != 0 && is_announced) {
    const auto kept = client_.keep_lease(lease_);
    if (kept.ok() && kept.value) return;
    if (!kept.ok()) return;  // it may have been kept; the next time shows
    lease_ = 0;
  }
  if (lease_ == 0) {
    const auto granted = client_.grant_lease(lease_time);
    if (!granted.ok()) return;
    lease_ = granted.value;
  }
  etcd::Transaction announcement;
  announcement.success.push_back(put(state_.keys.sidecar(state_.sidecar), to_text(self_), lease_));
  const auto done = client_.transact(announcement);
  if (!done.ok()) {
    lease_ = 0;
    return;
  }
  next_lease_ = Clock::now() + lease_every;
  sidecars_.mark_announced();
}

// What operators have to know, once; and, for the time after a restart, up to when all was known.
void Membership::log_state() {
  log_foreign();
  const auto failing = state_.freshness.failing_for();
  if (failing >= state_.options.timeout && !away_logged_) {
    away_logged_ = true;
    logging::error("Shared store does not answer; new rooms are refused, known ones are answered",
                   {{"silent_ms", static_cast<std::int64_t>(failing.count())}, {"reason", why_away_}});
  } else if (failing == 0ms && std::exchange(away_logged_, false)) {
    logging::info("Shared store answers again");
  }
  if (failing > 0ms || !is_due(next_note_, note_every)) return;
  const locks::MutexLock lock(state_.mutex);
  if (!state_.resume_point.is_known()) return;
  app::Registry::Transaction local(state_.registry);
  if (local.options().scale) local.note(state_.resume_point_now());
}

// An endpoint may lead to members of several clusters by turns: it is logged once a minute then.
void Membership::log_foreign() {
  const auto foreign = state_.cluster->foreign();
  const std::string followed = state_.cluster->id();
  const auto now = Clock::now();
  for (const auto& [endpoint, id] : foreign) {
    if (foreign_logged_.count(endpoint) > 0) continue;
    foreign_logged_[endpoint] = now;
    logging::error("Endpoint leads to another etcd cluster: it is not asked, and its answers do not count",
                   {{"endpoint", endpoint}, {"cluster", id}, {"followed", followed.empty() ? "none" : followed}});
  }
  for (auto logged = foreign_logged_.begin(); logged != foreign_logged_.end();) {
    if (foreign.count(logged->first) > 0 || now < logged->second + foreign_every) {
      ++logged;
      continue;
    }
    logging::info("Endpoint leads to the followed etcd cluster again", {{"endpoint", logged->first}});
    logged = foreign_logged_.erase(logged);
  }
}

void Membership::log_leaders(const std::vector<etcd::MemberStatus>& members) {
  std::string leaders;
  std::size_t count = 0;
  for (const etcd::MemberStatus& member : members) {
    if (!member.is_leader) continue;
    leaders += (leaders.empty() ? "" : " ") + member.endpoint;
    ++count;
  }
  if (count > 1 && !leaders_logged_) logging::warn("Several members of etcd claim to lead", {{"endpoints", leaders}});
  leaders_logged_ = count > 1;
}

// No faster than the store takes them: a number that changes meanwhile is announced as it is then.
void Membership::publish_users() {
  if (state_.freshness.failing_for() > 0ms) return;
  domain::RoomId after;
  for (bool more = true; more && writer_.backlog() < most_unpublished;) {
    std::vector<domain::RoomUse> recounts;
    {
      app::Registry::Transaction local(state_.registry);
      if (!local.ledger().announces_uses()) return;
      more = local.ledger().take_recounts(local.now().service, after, rooms_announced_per_slice, recounts);
    }
    for (domain::RoomUse& use : recounts) writer_.push(MarkUse(std::move(use)));
    if (more) state_.registry.pause_between_slices();
  }
}

std::vector<etcd::MemberStatus> Membership::members() const {
  const locks::MutexLock lock(mutex_);
  return members_;
}

}  // namespace cluster
