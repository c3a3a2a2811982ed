#include "cluster/membership.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

#include "app/event_log.h"
#include "cluster/operations.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr auto lease_time = 15s;
constexpr auto lease_every = 5s;
constexpr auto look_every = 2s;
// The interval between two heartbeats. A member that is silent for three of them counts as lost.
constexpr auto beat_every = 4s;
constexpr auto members_every = 10s;
constexpr auto note_every = 10s;
constexpr auto foreign_every = 1min;
constexpr auto order_every = 10s;
// The deadline of work that puts things in order: a slow store is given more time step by step (cluster/attempt_time.h).
constexpr auto order_within = 30s;
// The next sidecar in the order of names does it if the one before has not.
constexpr auto turn_of_each = 10s;
constexpr std::size_t most_in_order = 500;
constexpr std::int64_t marks_a_page = 5000;
constexpr std::size_t rooms_told_a_turn = 256;
// Deeds that wait while numbers of users are published; else those wait.
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
      engine_(state.options, state.cluster, state.authenticator),
      members_engine_(state.options, state.cluster, state.authenticator),
      thread_([this] { work(); }),
      members_thread_([this] { look_at_members(); }) {}

Membership::~Membership() { stop(); }

void Membership::stop() {
  {
    const locks::MutexLock lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  engine_.stop();
  members_engine_.stop();
  woken_.notify_all();
  thread_.join();
  members_thread_.join();
  // Its rooms are kept as those of one that was killed are: it may be back at once.
  if (lease_ == 0 || state_.freshness.failing_for() > 0ms) return;
  Engine last(state_.options, state_.cluster, state_.authenticator);
  last.revoke_lease(lease_, Clock::now() + std::min<std::chrono::milliseconds>(state_.options.attempt_timeout, 1s));
}

void Membership::work() {
  ::pthread_setname_np(::pthread_self(), "membership");
  locks::MutexLock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    look_for_beat();
    keep_lease();
    tell();
    publish_users();
    forget_silent_users();
    if (is_due(next_order_, order_every) && state_.freshness.failing_for() == 0ms) {
      forget_left();
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
    auto members = members_engine_.members();
    tell_of_leaders(members);
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

// The newest beat that there is, by a consistent read: if it is newer than the one of the last look, then all that came
// before that look is older than it, and has been followed once it has.
void Membership::look_for_beat() {
  if (state_.freshness.failing_for() == 0ms && !is_due(next_look_, look_every)) return;
  const auto sent = Freshness::now();
  RangeWish wish;
  wish.key = state_.keys.beat();
  const auto reply = engine_.range(wish);
  if (!reply.ok()) {
    if (reply.trouble != Trouble::refused) state_.freshness.fails(sent);
    why_away_ = reply.why;
    return;
  }
  state_.freshness.works();
  const Revision beat = reply.value.items.empty() ? 0 : reply.value.items.front().modified;
  const auto last = std::exchange(last_look_, sent);
  if (beat != last_beat_) {
    if (last_beat_ >= 0 && beat > last_beat_) state_.freshness.answered(last, beat);
    last_beat_ = beat;
    beat_since_ = Clock::now() + some_more(1s);
    if (beat > 0) return;
  }
  if (beat > 0 && Clock::now() < beat_since_ + beat_every) return;
  Transaction next;
  next.compares.push_back(is_as_of(wish.key, beat));
  next.success.push_back(put(wish.key, ""));
  const auto put_at = Freshness::now();
  const auto done = engine_.transact(next);
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
    const auto kept = engine_.keep_lease(lease_);
    if (kept.ok() && kept.value) return;
    if (!kept.ok()) return;  // it may have been kept; the next time tells
    lease_ = 0;
  }
  if (lease_ == 0) {
    const auto granted = engine_.grant_lease(lease_time);
    if (!granted.ok()) return;
    lease_ = granted.value;
  }
  Transaction word;
  word.success.push_back(put(state_.keys.sidecar(state_.sidecar), to_text(self_), lease_));
  const auto done = engine_.transact(word);
  if (!done.ok()) {
    lease_ = 0;
    return;
  }
  next_lease_ = Clock::now() + lease_every;
  const locks::MutexLock lock(mutex_);
  is_announced_ = true;
}

// What operators have to know, once; and, for the time after a restart, up to when all was known.
void Membership::tell() {
  tell_of_foreign();
  const auto failing = state_.freshness.failing_for();
  if (failing >= state_.options.timeout && !away_told_) {
    away_told_ = true;
    app::log_error("Shared store does not answer; new rooms are refused, known ones are answered",
                   {{"silent_ms", static_cast<std::int64_t>(failing.count())}, {"reason", why_away_}});
  } else if (failing == 0ms && std::exchange(away_told_, false)) {
    app::log_info("Shared store answers again");
  }
  if (failing > 0ms || !is_due(next_note_, note_every)) return;
  const locks::MutexLock lock(state_.mutex);
  if (!state_.position.is_known()) return;
  app::Desk::Turn turn(state_.desk);
  if (turn.options().scale) turn.note(state_.position_now());
}

// An endpoint may lead to members of several clusters by turns: it is told once a minute then.
void Membership::tell_of_foreign() {
  const auto foreign = state_.cluster->foreign();
  const std::string followed = state_.cluster->id();
  const auto now = Clock::now();
  for (const auto& [endpoint, id] : foreign) {
    if (foreign_told_.count(endpoint) > 0) continue;
    foreign_told_[endpoint] = now;
    app::log_error("Endpoint leads to another etcd cluster: nothing is asked there, and what it says does not count",
                   {{"endpoint", endpoint}, {"cluster", id}, {"followed", followed.empty() ? "none" : followed}});
  }
  for (auto told = foreign_told_.begin(); told != foreign_told_.end();) {
    if (foreign.count(told->first) > 0 || now < told->second + foreign_every) {
      ++told;
      continue;
    }
    app::log_info("Endpoint leads to the followed etcd cluster again", {{"endpoint", told->first}});
    told = foreign_told_.erase(told);
  }
}

void Membership::tell_of_leaders(const std::vector<MemberStatus>& members) {
  std::string leaders;
  std::size_t count = 0;
  for (const MemberStatus& member : members) {
    if (!member.is_leader) continue;
    leaders += (leaders.empty() ? "" : " ") + member.endpoint;
    ++count;
  }
  if (count > 1 && !leaders_told_)
    app::log_warn("Several members of etcd say that they lead", {{"endpoints", leaders}});
  leaders_told_ = count > 1;
}

// No faster than the store takes them: a number that changes meanwhile is told as it is then.
void Membership::publish_users() {
  if (state_.freshness.failing_for() > 0ms) return;
  std::string after;
  for (bool more = true; more && writer_.backlog() < most_unpublished;) {
    std::vector<domain::RoomUse> recounts;
    {
      app::Desk::Turn turn(state_.desk);
      if (!turn.ledger().tells_uses()) return;
      more = turn.ledger().take_recounts(turn.now().service, after, rooms_told_a_turn, recounts);
    }
    for (domain::RoomUse& use : recounts) writer_.push(use_of(std::move(use)));
    if (more) state_.desk.let_others_pass();
  }
}

// A sidecar that went is as one silent session: after dead_after its users count no more, until it is back.
void Membership::forget_silent_users() {
  const auto old = Clock::now() - state_.desk.policy()->options().dead_after;
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
  for (bool more = true; more; state_.desk.let_others_pass()) {
    const locks::MutexLock lock(state_.mutex);
    if (last.empty()) state_.replica.set_silent(silent_);
    const auto rooms = state_.replica.rooms_with_users(last, rooms_told_a_turn);
    app::Desk::Turn turn(state_.desk);
    for (const std::string& room : rooms) {
      turn.ledger().set_users_elsewhere(room, static_cast<std::size_t>(state_.replica.users(room)));
    }
    more = !rooms.empty();
    if (more) last = rooms.back();
  }
}

void Membership::list(std::map<std::string, SidecarValue> sidecars, const std::set<std::string>& with_marks) {
  const locks::MutexLock lock(mutex_);
  sidecars_ = std::move(sidecars);
  if (!sidecars_.count(state_.sidecar)) is_announced_ = false;
  for (auto it = lost_.begin(); it != lost_.end();) it = sidecars_.count(it->first) ? lost_.erase(it) : std::next(it);
  for (const std::string& id : with_marks) {
    if (id != state_.sidecar && !sidecars_.count(id)) lost_.try_emplace(id, Clock::now());
  }
}

void Membership::came(const std::string& id, const SidecarValue& sidecar) {
  const locks::MutexLock lock(mutex_);
  if (id == state_.sidecar && sidecar.instance != self_.instance) {
    app::log_error("Another sidecar has the identity of this one: each must have a database file of its own",
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

std::vector<MemberStatus> Membership::members() const {
  const locks::MutexLock lock(mutex_);
  return members_;
}

std::size_t Membership::rank() const {
  const locks::MutexLock lock(mutex_);
  return static_cast<std::size_t>(std::distance(sidecars_.begin(), sidecars_.lower_bound(state_.sidecar)));
}

// A sidecar that is cut off may answer for max_stale what it knows, and whom it has answered may come for join_grace.
std::chrono::milliseconds Membership::grace() const {
  const auto policy = state_.desk.policy();
  return state_.options.max_stale + policy->options().join_grace;
}

void Membership::forget_left() {
  const auto old = Clock::now() - grace() - turn_of_each * rank();
  std::vector<Deed> deeds;
  {
    const locks::MutexLock lock(state_.mutex);
    for (const auto& [room, left] : state_.replica.all_left()) {
      if (left.since > old) continue;
      Deed deed;
      deed.kind = Deed::Kind::plain;
      deed.transaction.compares.push_back(is_as_of(state_.keys.left(room), left.modified));
      deed.transaction.success.push_back(erase(state_.keys.left(room)));
      deed.deadline = Clock::now() + order_within;
      deeds.push_back(std::move(deed));
      if (deeds.size() == most_in_order) break;
    }
  }
  for (Deed& deed : deeds) writer_.push(std::move(deed));
}

void Membership::reap_lost() {
  const auto old = Clock::now() - grace() - turn_of_each * rank();
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
  RangeWish wish;
  wish.key = state_.keys.first_use();
  wish.range_end = state_.keys.last_use();
  wish.keys_only = true;
  wish.limit = marks_a_page;
  std::int64_t reaped = 0;
  for (bool more = true; more;) {
    const auto reply = engine_.range(wish);
    if (!reply.ok()) return;
    for (const KeyValue& item : reply.value.items) {
      const auto key = state_.keys.parse(item.key);
      if (!key || key->sidecar != id) continue;
      Deed deed;
      deed.kind = Deed::Kind::reap;
      deed.room = key->name;
      deed.sidecar = id;
      deed.mark = item.modified;
      deed.deadline = Clock::now() + order_within;
      writer_.push(std::move(deed));
      if (++reaped == static_cast<std::int64_t>(most_in_order)) break;
    }
    if (reaped == static_cast<std::int64_t>(most_in_order)) break;
    more = reply.value.more && !reply.value.items.empty();
    if (more) wish.key = reply.value.items.back().key + '\0';
  }
  if (reaped > 0) {
    app::log_info("Rooms of a sidecar that is gone are given up, where nobody else uses them",
                  {{"sidecar", id}, {"rooms", reaped}});
    return;  // and looked at again
  }
  const locks::MutexLock lock(mutex_);
  lost_.erase(id);
}

}  // namespace cluster
