#include "cluster/follower.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "app/for_each_room.h"
#include "app/report_session.h"
#include "cluster/operations.h"
#include "logging/log.h"
#include "store/journal.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t keys_a_page = 2000;
constexpr int attempts_a_page = 3;
// Three heartbeats of Membership's.
constexpr auto longest_silence = 12s;
constexpr auto oldest_without_list = 30s;
// So many rooms are taken in within one local.
constexpr std::size_t rooms_per_slice = 256;

}  // namespace

Follower::Follower(SharedState& state, Writer& writer, Membership& membership)
    : state_(state),
      writer_(writer),
      membership_(membership),
      client_(state.options, state.cluster, state.authenticator),
      thread_([this] { work(); }) {}

Follower::~Follower() { stop(); }

void Follower::stop() {
  {
    const locks::MutexLock lock(mutex_);
    stopping_ = true;
  }
  client_.stop();
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Follower::rests(std::chrono::milliseconds time) {
  locks::MutexLock lock(mutex_);
  return woken_.wait_for(lock, time, [this]() REQUIRES(mutex_) { return stopping_; });
}

void Follower::work() {
  ::pthread_setname_np(::pthread_self(), "follower");
  for (;;) {
    if (!(must_list_ || checks_history()) || (must_list_ && !list())) {
      must_list_ = client_.finds_replacement() || must_list_;
      if (rests(250ms)) return;
      continue;
    }
    etcd::Revision from;
    {
      const locks::MutexLock lock(state_.mutex);
      from = state_.replica.followed() + 1;
    }
    const etcd::WatchEnd end =
        client_.watch(state_.keys.first_followed(), state_.keys.last_followed(), from, longest_silence,
                      [this](const etcd::Header& header, const std::vector<etcd::Event>& events) {
                        return apply_events(header, events);
                      });
    is_watching_ = false;
    if (std::exchange(has_begun_, false)) prepare_history_check();
    if (end.why == etcd::WatchEnd::Why::compacted) must_list_ = true;
    // Nobody can put a heartbeat, as while the store is full: a list is as good.
    const auto age = state_.freshness.age();
    if (end.why == etcd::WatchEnd::Why::lost && (!age || *age > oldest_without_list)) must_list_ = true;
    if (end.why == etcd::WatchEnd::Why::refused && !std::exchange(error_logged_, true)) {
      logging::error("Changes of the shared store cannot be followed", {{"reason", end.words}});
    }
    // One that has just ended has been passed over already; none is asked without a pause.
    if (rests(end.why == etcd::WatchEnd::Why::refused ? 2000ms : 20ms)) return;
  }
}

bool Follower::read_range(std::string first, const std::string& last, Listing& listing,
                          std::vector<etcd::KeyValue>& into) {
  etcd::RangeRequest request;
  request.key = std::move(first);
  request.range_end = last;
  request.limit = keys_a_page;
  for (bool more = true; more;) {
    request.revision = listing.revision;
    auto reply = client_.range(request);
    // The pages before it are worth another attempt, which has more time if that one came too late.
    for (int again = 1; again < attempts_a_page && reply.error == etcd::ErrorCode::unreached; ++again) {
      reply = client_.range(request);
    }
    if (!reply.ok()) {
      if (reply.error == etcd::ErrorCode::refused && !std::exchange(error_logged_, true)) {
        logging::error("Shared store cannot be read", {{"reason", reply.why}});
      }
      return false;
    }
    if (listing.revision == 0) listing.revision = reply.header.revision;
    if (listing.cluster_id.empty()) listing.cluster_id = reply.header.cluster_id;
    if (listing.cluster_id != reply.header.cluster_id) return false;  // replaced meanwhile
    more = reply.value.more && !reply.value.items.empty();
    if (more) request.key = reply.value.items.back().key + '\0';
    for (etcd::KeyValue& item : reply.value.items) into.push_back(std::move(item));
  }
  return true;
}

bool Follower::read(Listing& listing) {
  return read_range(state_.keys.first_followed(), state_.keys.first_use(), listing, listing.items) &&
         read_range(state_.keys.first_use(), state_.keys.last_use(), listing, listing.use_marks);
}

// What this sidecar has written may not be followed yet. Looked for when the watch has just ended: what is written
// later may be in another history already.
void Follower::prepare_history_check() {
  const locks::MutexLock lock(state_.mutex);
  const Replica::Newest& newest = state_.replica.newest();
  if (newest.modified > history_check_.modified)
    history_check_ = {state_.keys.room(newest.room), std::nullopt, newest.modified};
}

// Whatever was written by one revision stays so: a store that was put back may have come past where this one is, but by
// other changes.
bool Follower::checks_history() {
  if (history_check_.modified == 0) return true;
  etcd::RangeRequest request;
  request.key = history_check_.key;
  request.revision = history_check_.modified;
  const auto reply = client_.range(request);
  const bool is_past = reply.error == etcd::ErrorCode::compacted || reply.error == etcd::ErrorCode::refused;
  if (!reply.ok() && !is_past) return false;
  const bool is_as_it_was = reply.ok() && reply.value.items.size() == 1 &&
                            reply.value.items.front().modified == history_check_.modified &&
                            (!history_check_.value || reply.value.items.front().value == *history_check_.value);
  if (reply.ok() && !is_as_it_was) is_other_history_ = true;
  if (!is_as_it_was) must_list_ = true;
  return true;
}

bool Follower::list() {
  const auto sent = Freshness::now();
  Listing listing;
  if (!checks_history() || !read(listing)) {
    if (state_.freshness.failing_for() == 0ms) state_.freshness.fails(sent);
    return false;
  }
  error_logged_ = false;
  state_.freshness.works();
  News news;
  {
    const locks::MutexLock lock(state_.mutex);
    take(listing, news);
    state_.replica.set_followed(listing.revision);
    state_.resume_point.cluster_id = listing.cluster_id;
    state_.resume_point.revision = listing.revision;
    state_.freshness.answered(sent, listing.revision);
    state_.freshness.followed(listing.revision);
    app::Registry::Transaction local(state_.registry);
    local.note(state_.resume_point_now());
  }
  state_.counts.listings.add();
  must_list_ = is_other_history_ = false;
  const auto newest =
      std::max_element(listing.items.begin(), listing.items.end(),
                       [](const auto& one, const auto& other) { return one.modified < other.modified; });
  history_check_ = newest == listing.items.end() ? HistoryCheck{} : history_check_of(*newest);
  has_begun_ = true;
  is_listed_ = true;
  follow_drains(news);
  return true;
}

// With the lock.
void Follower::take(const Listing& listing, News& news) {
  const ResumePoint before = state_.resume_point;
  const bool is_join = !before.is_known();
  const bool is_other_history =
      !is_join && (is_other_history_ || listing.cluster_id != before.cluster_id || listing.revision < before.revision);
  if (is_other_history) {
    logging::warn("Shared store was replaced or restored; what it lacks is republished",
                  {{"revision", listing.revision}, {"followed", before.revision}});
    state_.freshness.forget_questions();
  }
  state_.replica.forget_tombstones();
  state_.replica.forget_failovers();
  std::map<std::string, SidecarValue> sidecars;
  std::set<std::string> drained;
  app::Registry::Transaction(state_.registry).ledger().forget_tombstones();
  for (std::size_t at = 0; at < listing.items.size();) {
    if (at > 0) state_.registry.pause_between_slices();
    app::Registry::Transaction local(state_.registry);
    for (const std::size_t end = std::min(listing.items.size(), at + rooms_per_slice); at < end; ++at) {
      const etcd::KeyValue& item = listing.items[at];
      const auto key = state_.keys.parse(item.key);
      if (!key) continue;
      const etcd::Event event{false, item};
      if (key->kind == KeyKind::tombstone) follow_tombstone(local, key->name, event);
      if (key->kind == KeyKind::failover) follow_failover(local, key->name, event);
      if (key->kind == KeyKind::sidecar) {
        if (auto value = sidecar_value_from(item.value)) sidecars.emplace(key->name, std::move(*value));
      }
      if (key->kind == KeyKind::gateway) {
        drained.insert(key->name);
        if (const auto draining = draining_from(item.value)) news.drains.emplace_back(key->name, *draining);
      }
    }
  }
  take_rooms(listing, is_join || is_other_history, is_other_history);
  apply_use_marks(listing);
  std::set<std::string> with_use_marks;
  for (const etcd::KeyValue& use_mark : listing.use_marks) {
    if (const auto key = state_.keys.parse(use_mark.key)) with_use_marks.insert(key->sidecar);
  }
  membership_.list(std::move(sidecars), with_use_marks);
  if (!is_join && !is_other_history) return;
  // What was drained here while this one was alone.
  const auto policy = state_.registry.policy();
  for (const domain::Gateway& gateway : policy->catalogue().gateways()) {
    if (!gateway.draining || gateway.removed || drained.count(gateway.name)) continue;
    const auto draining = gateway.evacuating ? domain::Draining::and_evacuating : domain::Draining::yes;
    writer_.push(Plain({{}, {put(state_.keys.gateway(gateway.name), to_text(draining))}}));
  }
}

// `is_other_history`: what is missing there was not given up by anybody, but is not known there;
// `is_restored`: it had been followed before, and what is there may be older.
void Follower::take_rooms(const Listing& listing, bool is_other_history, bool is_restored) {
  ListedRooms listed = read_rooms(listing, is_restored);
  if (is_other_history) state_.replica.forget_revisions();
  state_.replica.set_followed(0);
  follow_listed(listed.rows, is_other_history);
  end_missing(listing.revision, is_other_history, listed);
  for (const auto& [row, over] : listed.to_republish) writer_.push(Republish(row, over));
}

Follower::ListedRooms Follower::read_rooms(const Listing& listing, bool is_restored) {
  ListedRooms listed;
  for (const etcd::KeyValue& item : listing.items) {
    const auto key = state_.keys.parse(item.key);
    if (!key || key->kind != KeyKind::room) continue;
    const auto value = room_value_from(key->name, item.value);
    if (!value) {
      logging::warn("Row of the shared store left out: it cannot be read", {{"room_id", key->name}});
      continue;
    }
    listed.names.insert(key->name);
    // Revisions of two histories cannot be compared: the later assignment counts.
    std::optional<domain::Assignment> newer;
    if (is_restored) {
      app::Registry::Transaction local(state_.registry);
      const domain::Ledger::Room* room = local.ledger().find(key->name);
      if (room && room->held && !room->pending && room->held->assigned_at > value->row.assigned_at &&
          local.ledger().name_of(room->held->gateway) != value->row.gateway_name) {
        newer = local.ledger().assignment(key->name, *room->held);
      }
    }
    (newer ? listed.to_republish : listed.rows).emplace_back(newer.value_or(value->row), item.modified);
  }
  return listed;
}

void Follower::follow_listed(const std::vector<RowAt>& rows, bool is_other_history) {
  for (std::size_t at = 0; at < rows.size(); at += rooms_per_slice) {
    if (at > 0) state_.registry.pause_between_slices();
    app::Registry::Transaction local(state_.registry);
    for (std::size_t i = at; i < std::min(rows.size(), at + rooms_per_slice); ++i) {
      const auto& [row, modified] = rows[i];
      const bool is_news = state_.replica.take_room(row, modified);
      if (const auto now = state_.replica.room(row.room_id); !is_news && (!now || now->modified != modified)) continue;
      const domain::Ledger::Room* room = local.ledger().find(row.room_id);
      const bool is_elsewhere = room && room->held && !room->pending && (is_other_history || room->has_users()) &&
                                local.ledger().name_of(room->held->gateway) != row.gateway_name;
      if (is_elsewhere) {
        state_.count_conflict(row.room_id, local.ledger().name_of(room->held->gateway), row.gateway_name);
      }
      local.ledger().follow(row);
    }
  }
}

// What is known here and was not listed: it has ended, or is to be republished there.
void Follower::end_missing(etcd::Revision as_of, bool is_other_history, ListedRooms& listed) {
  Replica& replica = state_.replica;
  app::for_each_room(state_.registry, rooms_per_slice, [&](app::Registry::Transaction& local, const auto& room) {
    state_.mutex.assert_held();
    const std::string name = room.first;
    if (!room.second.held || listed.names.count(name) > 0) return;
    const auto known = replica.room(name);
    if (known && known->modified > as_of) return;  // a claim of ours, after the listing
    replica.drop_room(name, as_of + 1);
    if (room.second.pending) return;  // its claim decides
    const Replica::KnownTombstone* tombstone = replica.tombstone(name);
    const bool is_forced = tombstone && tombstone->value.why == Tombstone::Why::forced;
    if (is_other_history || (room.second.has_users() && !is_forced)) {
      listed.to_republish.emplace_back(local.ledger().assignment(name, *room.second.held), 0);
    } else {
      local.ledger().unfollow(name);
    }
    if (is_forced) empty_by_force(local, name);
  });
  forget_emptied();
}

// Others' use marks hold how many users are in their rooms. Rooms that are used here without a use mark of ours are
// announced again.
void Follower::apply_use_marks(const Listing& listing) {
  state_.replica.forget_use_marks(listing.revision);
  state_.replica.forget_users();
  std::set<std::string, std::less<>> marked_as_kept;
  for (const etcd::KeyValue& use_mark : listing.use_marks) {
    const auto key = state_.keys.parse(use_mark.key);
    if (!key) continue;
    const UseMark value = use_mark_from(use_mark.value);
    if (key->sidecar == state_.sidecar) {
      state_.replica.set_use_mark(key->name, use_mark.modified);
      if (value.use == domain::Use::kept) marked_as_kept.insert(key->name);
    } else {
      state_.replica.set_users(key->name, key->sidecar, value.users);
    }
  }
  app::for_each_room(state_.registry, rooms_per_slice, [&](app::Registry::Transaction& local, const auto& room) {
    state_.mutex.assert_held();
    const std::string name = room.first;
    domain::Ledger& ledger = local.ledger();
    const auto elsewhere = static_cast<std::size_t>(state_.replica.users(name));
    const bool is_recounted = room.second.users_elsewhere != elsewhere;
    if (room.second.held && !room.second.pending) {
      const bool is_announced = ledger.announced_use(room.second) != domain::Use::none;
      const auto use = room.second.has_users()                             ? domain::Use::live
                       : state_.replica.use_mark(name) > 0 || is_announced ? domain::Use::kept
                                                                           : domain::Use::none;
      // After a kill the users of the last second are forgotten, while the use mark still counts them.
      const bool is_right = use == domain::Use::kept && marked_as_kept.count(name) > 0;
      if (use != domain::Use::none) {
        domain::RoomUse announced = ledger.set_announced_use(name, use);
        if (!is_right) writer_.push(MarkUse(std::move(announced)));
      }
    }
    if (is_recounted) ledger.set_users_elsewhere(name, elsewhere);
  });
}

bool Follower::apply_events(const etcd::Header& header, const std::vector<etcd::Event>& events) {
  {
    const locks::MutexLock lock(state_.mutex);
    if (events.empty() && header.revision < state_.replica.followed()) {
      must_list_ = true;
      return false;
    }
  }
  if (events.empty()) {
    is_watching_ = has_begun_ = true;
    return true;
  }
  News news;
  for (const etcd::Event& event : events) {
    const auto key = event.erased ? std::nullopt : state_.keys.parse(event.item.key);
    if (!key || key->kind != KeyKind::tombstone) continue;
    const auto value = tombstone_from(event.item.value);
    if (value && value->why == Tombstone::Why::forced) news.forced.insert(key->name);
  }
  for (std::size_t at = 0; at < events.size();) {
    const locks::MutexLock lock(state_.mutex);
    {
      app::Registry::Transaction local(state_.registry);
      // What one revision has done is seen at once.
      for (std::size_t taken = 0; at < events.size(); ++at, ++taken) {
        if (taken >= rooms_per_slice && events[at].item.modified != events[at - 1].item.modified) break;
        follow(local, events[at], news);
      }
      const etcd::Revision revision = events[at - 1].item.modified;
      state_.replica.set_followed(std::max(state_.replica.followed(), revision));
      state_.resume_point.revision = state_.replica.followed();
      state_.freshness.followed(state_.replica.followed());
      local.note(state_.resume_point_now());
    }
    forget_emptied();
    if (at < events.size()) state_.registry.pause_between_slices();
  }
  const auto last_put =
      std::find_if(events.rbegin(), events.rend(), [](const etcd::Event& event) { return !event.erased; });
  if (last_put != events.rend()) history_check_ = history_check_of(last_put->item);
  state_.counts.changes.add(events.size());
  follow_drains(news);
  return true;
}

void Follower::follow(app::Registry::Transaction& local, const etcd::Event& event, News& news) {
  const auto key = state_.keys.parse(event.item.key);
  if (!key) return;
  switch (key->kind) {
    case KeyKind::room:
      return follow_room(local, key->name, event, news);
    case KeyKind::tombstone:
      return follow_tombstone(local, key->name, event);
    case KeyKind::failover:
      return follow_failover(local, key->name, event);
    case KeyKind::sidecar:
      return follow_sidecar(key->name, event);
    case KeyKind::gateway:
      if (event.erased)
        news.drains.emplace_back(key->name, domain::Draining::no);
      else if (const auto draining = draining_from(event.item.value))
        news.drains.emplace_back(key->name, *draining);
      return;
    case KeyKind::use:
      return follow_use_mark(local, *key, event);
    case KeyKind::heartbeat:
      return;
  }
}

// More sessions than one transaction can forget are forgotten after it (forget_emptied).
void Follower::empty_by_force(app::Registry::Transaction& local, const std::string& room) {
  const std::size_t forgotten = local.ledger().forget_sessions(room, app::forgotten_per_slice);
  if (forgotten == app::forgotten_per_slice) emptied_.push_back(room);
  local.quarantine().begin(room, local.now().service + local.options().dead_after);
}

void Follower::forget_emptied() { app::forget_sessions(state_.registry, std::exchange(emptied_, {})); }

void Follower::follow_room(app::Registry::Transaction& local, const std::string& room, const etcd::Event& event,
                           const News& news) {
  domain::Ledger& ledger = local.ledger();
  if (event.erased) {
    const auto was = state_.replica.room(room);
    const bool is_forced = news.forced.count(room) > 0;
    if (!state_.replica.drop_room(room, event.item.modified)) {
      if (is_forced && !was) empty_by_force(local, room);  // dropped already, by an answer
      return;
    }
    state_.replica.drop_use_mark(room);
    const domain::Ledger::Room* entry = ledger.find(room);
    const bool is_used = entry && entry->has_users() && !entry->pending;
    ledger.unfollow(room);
    if (is_forced) return empty_by_force(local, room);
    // A user came in before the others knew: the room goes on where it was.
    if (is_used && was) writer_.push(Republish(was->row));
    return;
  }
  const auto value = room_value_from(room, event.item.value);
  if (!value) {
    logging::warn("Row of the shared store left out: it cannot be read", {{"room_id", room}});
    return;
  }
  const bool is_new = !state_.replica.room(room);
  if (!state_.replica.take_room(value->row, event.item.modified)) return;
  if (is_new) local.arrived();
  ledger.follow(value->row);
  const domain::Ledger::Room* entry = ledger.find(room);
  if (value->by != state_.sidecar || !entry || entry->pending || state_.replica.use_mark(room) > 0) return;
  // A claim of ours that came through after all, when nobody waited for it any more.
  state_.replica.set_use_mark(room, event.item.modified);
  ledger.set_announced_use(room, domain::Use::kept);
  ledger.keep(room, local.now().service);
}

void Follower::follow_tombstone(app::Registry::Transaction& local, const std::string& room, const etcd::Event& event) {
  domain::Ledger& ledger = local.ledger();
  if (event.erased) {
    state_.replica.drop_tombstone(room);
    return ledger.set_tombstone(room, std::nullopt);
  }
  auto value = tombstone_from(event.item.value);
  if (!value) return;
  if (value->why == Tombstone::Why::empty) {
    ledger.set_tombstone(room, value->gateway);
  } else {
    ledger.set_tombstone(room, std::nullopt);
  }
  state_.replica.put_tombstone(room, std::move(*value), event.item.modified);
}

void Follower::follow_failover(app::Registry::Transaction& local, const std::string& gateway,
                               const etcd::Event& event) {
  domain::Ledger& ledger = local.ledger();
  const domain::GatewayId number = ledger.number_of(gateway);
  if (event.erased) {
    state_.replica.drop_failover(gateway);
    return ledger.end_evacuation(number);
  }
  auto value = failover_value_from(event.item.value);
  if (!value) return;
  std::optional<domain::GatewayId> standby;
  if (value->standby) standby = ledger.number_of(*value->standby);
  const domain::Evacuation* known = ledger.evacuations().find(number);
  if (!known || known->standby != standby) ledger.begin_evacuation(number, standby);
  state_.replica.take_failover(gateway, std::move(*value), event.item.modified);
}

// Our own use marks come back as events, too.
void Follower::follow_use_mark(app::Registry::Transaction& local, const ParsedKey& key, const etcd::Event& event) {
  if (key.sidecar == state_.sidecar) return;
  state_.replica.set_users(key.name, key.sidecar, event.erased ? 0 : use_mark_from(event.item.value).users);
  local.ledger().set_users_elsewhere(key.name, static_cast<std::size_t>(state_.replica.users(key.name)));
}

void Follower::follow_sidecar(const std::string& id, const etcd::Event& event) {
  if (event.erased) return membership_.went(id);
  if (const auto value = sidecar_value_from(event.item.value)) membership_.came(id, *value);
}

// What cannot be done now is done with what comes next, a heartbeat at the latest; so is one of a gateway that is not known yet.
void Follower::follow_drains(const News& news) {
  for (const auto& [gateway, draining] : news.drains) undone_[gateway] = draining;
  for (auto drain = undone_.begin(); drain != undone_.end();) {
    const auto done = state_.keeper.follow_draining(drain->first, drain->second);
    drain = done == app::CatalogueKeeper::Drained::done ? undone_.erase(drain) : std::next(drain);
  }
}

}  // namespace cluster
