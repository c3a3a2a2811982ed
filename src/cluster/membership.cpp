#include "cluster/membership.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>
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
// The deadline of work that puts things in order: a slow store is given more time step by step (etcd/attempt_time.h).
constexpr auto order_within = 30s;
// The next sidecar in the order of names does it if the one before has not.
constexpr auto delay_per_rank = 10s;
constexpr std::size_t most_in_order = 500;
constexpr std::int64_t marks_a_page = 5000;
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
      client_(state.options, state.cluster, state.authenticator),
      members_client_(state.options, state.cluster, state.authenticator),
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
    forget_silent_users();
    if (is_due(next_order_, order_every) && state_.freshness.failing_for() == 0ms) {
      forget_tombstones();
      reap_lost();
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
  bool is_announced;
  {
    const locks::MutexLock lock(mutex_);
    is_announced = is_announced_;
  }
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
  etcd::Transaction word;
  word.success.push_back(put(state_.keys.sidecar(state_.sidecar), to_text(self_), lease_));
  const auto done = client_.transact(word);
  if (!done.ok()) {
    lease_ = 0;
    return;
  }
  next_lease_ = Clock::now() + lease_every;
  const locks::MutexLock lock(mutex_);
  is_announced_ = true;
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
  std::string after;
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

// A sidecar that went is as one silent session: after dead_after its users count no more, until it is back.
void Membership::forget_silent_users() {
  const auto old = Clock::now() - state_.registry.policy()->options().dead_after;
  std::set<std::string> silent;
  {
    const locks::MutexLock lock(mutex_);
    for (const auto& [id, since] : lost_) {
      if (since <= old) silent.insert(id);
    }
  }
  if (silent == silent_) return;
  silent_ = std::move(silent);
  std::string last;
  for (bool more = true; more; state_.registry.pause_between_slices()) {
    const locks::MutexLock lock(state_.mutex);
    if (last.empty()) state_.replica.set_silent(silent_);
    const auto rooms = state_.replica.rooms_with_users(last, rooms_announced_per_slice);
    app::Registry::Transaction local(state_.registry);
    for (const std::string& room : rooms) {
      local.ledger().set_users_elsewhere(room, static_cast<std::size_t>(state_.replica.users(room)));
    }
    more = !rooms.empty();
    if (more) last = rooms.back();
  }
}

void Membership::list(std::map<std::string, SidecarValue> sidecars, const std::set<std::string>& with_use_marks) {
  const locks::MutexLock lock(mutex_);
  sidecars_ = std::move(sidecars);
  if (!sidecars_.count(state_.sidecar)) is_announced_ = false;
  for (auto it = lost_.begin(); it != lost_.end();) it = sidecars_.count(it->first) ? lost_.erase(it) : std::next(it);
  for (const std::string& id : with_use_marks) {
    if (id != state_.sidecar && !sidecars_.count(id)) lost_.try_emplace(id, Clock::now());
  }
}

void Membership::came(const std::string& id, const SidecarValue& sidecar) {
  const locks::MutexLock lock(mutex_);
  if (id == state_.sidecar && sidecar.instance != self_.instance) {
    logging::error("Another sidecar has the identity of this one: each needs a database file of its own",
                   {{"sidecar", id}, {"address", sidecar.address}});
  }
  sidecars_[id] = sidecar;
  lost_.erase(id);
}

void Membership::went(const std::string& id) {
  const locks::MutexLock lock(mutex_);
  sidecars_.erase(id);
  if (id == state_.sidecar) {
    is_announced_ = false;
  } else {
    lost_.try_emplace(id, Clock::now());
  }
}

std::map<std::string, SidecarValue> Membership::sidecars() const {
  const locks::MutexLock lock(mutex_);
  return sidecars_;
}

std::vector<etcd::MemberStatus> Membership::members() const {
  const locks::MutexLock lock(mutex_);
  return members_;
}

std::size_t Membership::rank() const {
  const locks::MutexLock lock(mutex_);
  return static_cast<std::size_t>(std::distance(sidecars_.begin(), sidecars_.lower_bound(state_.sidecar)));
}

// A sidecar that is cut off may answer for max_stale what it knows; users with such an answer come within join_grace.
std::chrono::milliseconds Membership::grace() const {
  const auto policy = state_.registry.policy();
  return state_.options.max_stale + policy->options().join_grace;
}

void Membership::forget_tombstones() {
  if (writer_.backlog() >= most_in_order) return;  // those of the last time still wait
  const auto old = Clock::now() - grace() - delay_per_rank * rank();
  std::vector<Plain> commands;
  {
    const locks::MutexLock lock(state_.mutex);
    for (const auto& [room, tombstone] : state_.replica.tombstones()) {
      if (tombstone.since > old) continue;
      const std::string key = state_.keys.tombstone(room);
      Plain& command = commands.emplace_back(etcd::Transaction{{is_as_of(key, tombstone.modified)}, {erase(key)}});
      command.deadline = Clock::now() + order_within;
      if (commands.size() == most_in_order) break;
    }
  }
  for (Plain& command : commands) writer_.push(std::move(command));
}

void Membership::reap_lost() {
  if (writer_.backlog() >= most_in_order) return;
  const auto old = Clock::now() - grace() - delay_per_rank * rank();
  std::vector<std::string> gone;
  {
    const locks::MutexLock lock(mutex_);
    for (const auto& [id, since] : lost_) {
      if (since <= old) gone.push_back(id);
    }
  }
  for (const std::string& id : gone) reap(id);
}

void Membership::reap(const std::string& id) {
  etcd::RangeRequest request;
  request.key = state_.keys.first_use();
  request.range_end = state_.keys.last_use();
  request.keys_only = true;
  request.limit = marks_a_page;
  std::int64_t reaped = 0;
  for (bool more = true; more;) {
    const auto reply = client_.range(request);
    if (!reply.ok()) return;
    for (const etcd::KeyValue& item : reply.value.items) {
      const auto key = state_.keys.parse(item.key);
      if (!key || key->sidecar != id) continue;
      Reap command(key->name, id, item.modified);
      command.deadline = Clock::now() + order_within;
      writer_.push(std::move(command));
      if (++reaped == static_cast<std::int64_t>(most_in_order)) break;
    }
    if (reaped == static_cast<std::int64_t>(most_in_order)) break;
    more = reply.value.more && !reply.value.items.empty();
    if (more) request.key = reply.value.items.back().key + '\0';
  }
  if (reaped > 0) {
    logging::info("Rooms of a departed sidecar are given up, where no other sidecar uses them",
                  {{"sidecar", id}, {"rooms", reaped}});
    return;  // and looked at again
  }
  const locks::MutexLock lock(mutex_);
  lost_.erase(id);
}

}  // namespace cluster
