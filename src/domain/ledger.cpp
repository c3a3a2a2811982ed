#include "domain/ledger.h"

#include <algorithm>
#include <cassert>

namespace domain {

GatewayNumber Ledger::number_of(std::string_view gateway) {
  const auto [it, is_new] = numbers_.try_emplace(std::string(gateway), static_cast<GatewayNumber>(names_.size()));
  if (is_new) {
    names_.push_back(&it->first);
    rooms_of_.push_back(0);
    excess_users_of_.push_back(0);
  }
  return it->second;
}

const Ledger::Room* Ledger::find(std::string_view room) const {
  const auto it = rooms_.find(room);
  return it == rooms_.end() ? nullptr : &it->second;
}

bool Ledger::is_occupied(std::string_view room, ServiceTime now) const {
  const Room* entry = find(room);
  if (entry && entry->has_users()) return true;
  if (!occupancy_) return false;
  std::optional<GatewayNumber> holder;
  if (entry && entry->held) holder = entry->held->gateway;
  return occupancy_->occupied(room, holder, now);
}

Assignment Ledger::assignment(const std::string& room, const Held& held) const {
  return {room, name_of(held.gateway), held.region, held.assigned_at, held.last_used_at};
}

Ledger::Rooms::value_type& Ledger::room_entry(std::string_view room) {
  const auto it = rooms_.lower_bound(room);
  if (it != rooms_.end() && it->first == room) return *it;
  return *rooms_.emplace_hint(it, std::string(room), Room{});
}

void Ledger::drop_if_blank(Rooms::iterator room) {
  const Room& entry = room->second;
  if (!entry.held && entry.sessions == 0 && entry.users_elsewhere == 0) rooms_.erase(room);
}

void Ledger::set_held(Room& room, std::optional<Held> held) {
  set_excess_users(room, 0);
  if (room.held) --rooms_of_[room.held->gateway];
  room.held = std::move(held);
  room.moved = false;
  if (room.held) ++rooms_of_[room.held->gateway];
  set_excess_users(room, excess_users(room));
}

std::int64_t Ledger::excess_users(const Room& room) const {
  if (!average_ || !room.held) return 0;
  return std::max<std::int64_t>(static_cast<std::int64_t>(room.all_users()) - *average_, 0);
}

void Ledger::set_excess_users(Room& room, std::int64_t excess_users) {
  if (room.held) excess_users_of_[room.held->gateway] += excess_users - room.excess_users;
  room.excess_users = excess_users;
}

bool Ledger::count_excess_users(std::optional<std::int64_t> average) {
  return std::exchange(average_, average) != average;
}

bool Ledger::recount_excess_users(std::string& after, std::size_t limit) {
  auto entry = rooms_.upper_bound(after);
  for (std::size_t looked = 0; entry != rooms_.end() && looked < limit; ++entry, ++looked) {
    set_excess_users(entry->second, excess_users(entry->second));
    if (looked + 1 == limit) after = entry->first;
  }
  return entry != rooms_.end();
}

void Ledger::link(SessionEntry& session_entry, Rooms::value_type& room) {
  session_entry.room = &room;
  session_entry.before = nullptr;
  session_entry.after = room.second.first_session;
  if (session_entry.after) session_entry.after->before = &session_entry;
  room.second.first_session = &session_entry;
  ++room.second.sessions;
}

void Ledger::unlink(SessionEntry& session_entry) {
  Room& room = session_entry.room->second;
  (session_entry.before ? session_entry.before->after : room.first_session) = session_entry.after;
  if (session_entry.after) session_entry.after->before = session_entry.before;
  --room.sessions;
}

// A session that comes to life, or ends to live, where it is.
void Ledger::count(const SessionEntry& session_entry, int sign) {
  Room& room = session_entry.room->second;
  sign > 0 ? ++room.users : --room.users;
  set_excess_users(room, excess_users(room));
  count_vote(session_entry, sign);
  if (announces_uses_ && announced_use(room) == Use::live) to_recount_.insert(session_entry.room->first);
}

void Ledger::count_vote(const SessionEntry& session_entry, int sign) {
  if (!session_entry.gateway) return;
  std::vector<Vote>& votes = session_entry.room->second.votes;
  auto vote =
      std::find_if(votes.begin(), votes.end(), [&](const Vote& one) { return one.gateway == *session_entry.gateway; });
  if (sign > 0) {
    if (vote == votes.end()) vote = votes.insert(votes.end(), Vote{*session_entry.gateway, 0});
    ++vote->sessions;
  } else if (--vote->sessions == 0) {
    votes.erase(vote);
  }
}

void Ledger::enqueue_assignment(const Rooms::value_type& room) {
  if (room.second.held) {
    changes_.push_back(assignment(room.first, *room.second.held));
  } else {
    changes_.push_back(AssignmentGone{room.first});
  }
}

void Ledger::restore(const std::vector<Assignment>& assignments, const std::vector<Session>& sessions,
                     const std::vector<Failover>& failovers, Moment now) {
  for (const Failover& row : failovers) {
    Evacuation& evacuation = evacuations_[number_of(row.gateway_name)];
    if (row.standby) evacuation.standby = number_of(*row.standby);
  }
  for (const Assignment& row : assignments) {
    Room& room = room_entry(row.room_id).second;
    set_held(room, Held{number_of(row.gateway_name), row.region, row.assigned_at, row.last_used_at});
    room.grace_since = now.service;
  }
  for (const Session& row : sessions) {
    if (sessions_.count(row.session_id)) continue;
    std::optional<GatewayNumber> gateway;
    if (row.reported_gateway) gateway = number_of(*row.reported_gateway);
    live_.push_back({row.session_id, nullptr, now.service, {}, gateway, false, true, row.entered_at});
    sessions_.emplace(live_.back().id, std::prev(live_.end()));
    link(live_.back(), room_entry(row.room_id));
    count(live_.back(), 1);
  }
}

void Ledger::book(std::string_view room, GatewayNumber gateway, std::string_view region, Moment now) {
  auto& entry = room_entry(room);
  assert(!entry.second.pending);
  if (entry.second.held) entry.second.before = std::make_unique<Held>(*entry.second.held);
  set_held(entry.second, Held{gateway, std::string(region), now.wall, now.wall});
  entry.second.pending = true;
  entry.second.grace_since = now.service;
}

void Ledger::forget_replaced(std::string_view room) { rooms_.find(room)->second.before.reset(); }

void Ledger::confirm(std::string_view room, GatewayNumber holder) {
  Room& entry = rooms_.find(room)->second;
  assert(entry.pending);
  entry.pending = false;
  entry.before.reset();
  if (entry.held->gateway != holder) {
    Held held = *entry.held;
    held.gateway = holder;
    set_held(entry, std::move(held));
  }
}

void Ledger::withdraw(std::string_view room) {
  const auto it = rooms_.find(room);
  assert(it != rooms_.end() && it->second.pending);
  it->second.pending = false;
  const std::unique_ptr<Held> before = std::move(it->second.before);
  set_held(it->second, before ? std::optional<Held>(*before) : std::nullopt);
  enqueue_assignment(*it);
  drop_if_blank(it);
}

void Ledger::touch(std::string_view room, WallTime now) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !it->second.held) return;
  it->second.held->last_used_at = now;
  if (!it->second.touched) {
    it->second.touched = true;
    touched_.push_back(it->first);
  }
}

void Ledger::answered(std::string_view room, Moment now) {
  keep(room, now.service);
  if (const auto it = rooms_.find(room); it != rooms_.end()) {
    it->second.moved = false;
    if (announced_use(it->second) == Use::none) enqueue_use(*it, Use::kept);
  }
  touch(room, now.wall);
}

void Ledger::begin_evacuation(GatewayNumber gateway, std::optional<GatewayNumber> standby) {
  const auto [it, is_new] = evacuations_.try_emplace(gateway);
  Evacuation& evacuation = it->second;
  if (evacuation.is_complete_logged) {  // a new wave
    evacuation.is_complete_logged = false;
    evacuation.moved = 0;
    evacuation.taken_by.clear();
  }
  if (!is_new && evacuation.standby == standby) return;
  evacuation.standby = standby;
  Failover row{name_of(gateway), std::nullopt};
  if (standby) row.standby = name_of(*standby);
  changes_.push_back(std::move(row));
}

void Ledger::note_move(std::string_view room, GatewayNumber from, bool seen) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !it->second.held) return;
  it->second.moved = !seen;
  if (const auto evacuation = evacuations_.find(from); evacuation != evacuations_.end()) {
    ++evacuation->second.moved;
    evacuation->second.taken_by.insert(it->second.held->gateway);
  }
}

void Ledger::end_evacuation(GatewayNumber gateway) {
  if (evacuations_.erase(gateway) > 0) changes_.push_back(FailoverGone{name_of(gateway)});
}

bool Ledger::may_end(std::string_view room, ServiceTime now, Duration join_grace) const {
  const Room* entry = find(room);
  if (!entry || !entry->held || entry->pending || is_occupied(room, now) || is_as_legacy_left(room)) return false;
  if (occupancy_ && occupancy_->is_unobserved(entry->held->gateway)) return false;
  return !entry->grace_since || now >= *entry->grace_since + join_grace;
}

void Ledger::announce_uses(bool on) {
  announces_uses_ = on;
  ++announcing_epoch_;
  uses_.clear();
  to_recount_.clear();
  tombstones_.clear();
}

Use Ledger::announced_use(std::string_view room) const {
  const Room* entry = find(room);
  return entry ? announced_use(*entry) : Use::none;
}

RoomUse Ledger::mark_announced(Rooms::value_type& room, Use use) {
  Room& entry = room.second;
  entry.announced_use = use;
  entry.announcing_epoch = announcing_epoch_;
  entry.announced_users = use == Use::live ? entry.users : 0;
  return {room.first, use, static_cast<std::int64_t>(entry.announced_users)};
}

void Ledger::enqueue_use(Rooms::value_type& room, Use use) {
  const Use before = announced_use(room.second);
  if (!announces_uses_ || before == use || !room.second.held) return;
  uses_.push_back(mark_announced(room, use));
  uses_.back().is_first = before == Use::none;
}

RoomUse Ledger::set_announced_use(std::string_view room, Use use) {
  const auto it = rooms_.find(room);
  return it == rooms_.end() ? RoomUse{std::string(room), use} : mark_announced(*it, use);
}

void Ledger::note_emptied(std::string_view room) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || it->second.has_users()) return;
  if (announced_use(it->second) == Use::live) enqueue_use(*it, Use::kept);
}

bool Ledger::take_recounts(ServiceTime now, std::string& after, std::size_t limit, std::vector<RoomUse>& recounts) {
  constexpr std::chrono::seconds at_most_every{1};
  auto name = to_recount_.upper_bound(after);
  for (std::size_t looked = 0; name != to_recount_.end() && looked < limit; ++looked) {
    after = *name;
    const auto room = rooms_.find(*name);
    const bool is_announced = room != rooms_.end() && room->second.held && announced_use(room->second) == Use::live;
    if (is_announced && now < room->second.announced_at + at_most_every) {
      ++name;
      continue;
    }
    name = to_recount_.erase(name);
    if (!is_announced || room->second.users == room->second.announced_users) continue;
    room->second.announced_at = now;
    recounts.push_back(mark_announced(*room, Use::live));
  }
  return name != to_recount_.end();
}

void Ledger::set_users_elsewhere(std::string_view room, std::size_t users) {
  const auto it = users > 0 ? rooms_.find(room_entry(room).first) : rooms_.find(room);
  if (it == rooms_.end()) return;
  it->second.users_elsewhere = users;
  set_excess_users(it->second, excess_users(it->second));
  drop_if_blank(it);
}

void Ledger::follow(const Assignment& row) {
  auto& entry = room_entry(row.room_id);
  Room& room = entry.second;
  if (room.pending) return;
  Held held{number_of(row.gateway_name), row.region, row.assigned_at, row.last_used_at};
  bool moves = false;
  if (room.held) {
    moves = room.moved || room.held->gateway != held.gateway;
    const bool is_known = room.held->gateway == held.gateway && room.held->region == held.region &&
                          room.held->assigned_at == held.assigned_at;
    if (is_known) return;
    held.last_used_at = std::max(held.last_used_at, room.held->last_used_at);
  }
  set_held(room, std::move(held));
  room.moved = moves;
  enqueue_assignment(entry);
}

void Ledger::unfollow(std::string_view room) { end_assignment(room); }

void Ledger::set_tombstone(const std::string& room, std::optional<std::string_view> gateway) {
  if (gateway) {
    tombstones_.insert_or_assign(room, number_of(*gateway));
  } else {
    tombstones_.erase(room);
  }
}

std::optional<GatewayNumber> Ledger::tombstone_gateway(std::string_view room) const {
  const auto it = tombstones_.find(room);
  return it == tombstones_.end() ? std::nullopt : std::optional(it->second);
}

void Ledger::note_elsewhere(std::string_view room, ServiceTime until) {
  const auto it = rooms_.find(room);
  if (it != rooms_.end()) it->second.elsewhere_until = until;
}

bool Ledger::is_used_elsewhere(std::string_view room, ServiceTime now) const {
  const Room* entry = find(room);
  return entry && entry->elsewhere_until && now < *entry->elsewhere_until;
}

void Ledger::note(std::string_view room) {
  const auto it = rooms_.find(room);
  if (it != rooms_.end() && !it->second.pending) enqueue_assignment(*it);
}

bool Ledger::end_assignment(std::string_view room) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !it->second.held || it->second.pending) return false;
  set_held(it->second, std::nullopt);
  it->second.grace_since.reset();
  mark_announced(*it, Use::none);
  enqueue_assignment(*it);
  drop_if_blank(it);
  return true;
}

void Ledger::keep(std::string_view room, ServiceTime now) {
  const auto it = rooms_.find(room);
  if (it != rooms_.end() && it->second.held) it->second.grace_since = now;
}

Ledger::Entered Ledger::enter(std::string_view session, std::string_view room, std::optional<std::string_view> reported,
                              Report report, Moment now) {
  Entered result;
  std::optional<GatewayNumber> gateway;
  if (reported) gateway = number_of(*reported);
  auto& entry = room_entry(room);
  const auto found = sessions_.find(session);
  bool write = true;
  SessionEntries::iterator session_entry;
  if (found == sessions_.end()) {
    live_.push_back({std::string(session), nullptr, now.service, {}, {}, false, true, now.wall});
    session_entry = std::prev(live_.end());
    sessions_.emplace(session_entry->id, session_entry);
    link(*session_entry, entry);
    count(*session_entry, 1);
    result.entered = true;
  } else {
    session_entry = found->second;
    Rooms::value_type* before = session_entry->room;
    const bool was_live = session_entry->live;
    live_.splice(live_.end(), was_live ? live_ : dead_, session_entry);
    if (was_live && before == &entry) {
      write = gateway && session_entry->gateway != gateway;
    } else {  // from dead or from another room
      if (was_live) count(*session_entry, -1);
      unlink(*session_entry);
      session_entry->live = true;
      session_entry->entered_at = now.wall;
      session_entry->gateway.reset();
      link(*session_entry, entry);
      count(*session_entry, 1);
      if (before != &entry && was_live) result.moved_from = before->first;
      result.entered = !was_live;
      if (before != &entry) drop_if_blank(rooms_.find(before->first));
    }
  }
  if (result.entered || result.moved_from) entry.second.grace_since.reset();
  session_entry->refreshed = now.service;
  if (report == Report::own) session_entry->reported_itself = now.service;
  if (gateway && session_entry->gateway != gateway) {
    count_vote(*session_entry, -1);
    session_entry->gateway = gateway;
    count_vote(*session_entry, 1);
  }
  if (write) changes_.push_back(this->session(*session_entry));
  if (announced_use(entry.second) != Use::live) {
    enqueue_use(entry, Use::live);
    entry.second.announced_at = now.service;
  }
  return result;
}

bool Ledger::mark_first_difference(std::string_view session) {
  const auto it = sessions_.find(session);
  return it != sessions_.end() && !std::exchange(it->second->difference_reported, true);
}

void Ledger::refresh(std::string_view session, ServiceTime now) {
  const auto it = sessions_.find(session);
  if (it == sessions_.end() || !it->second->live) return;
  it->second->refreshed = now;
  live_.splice(live_.end(), live_, it->second);
}

void Ledger::erase_session(SessionEntries::iterator session_entry) {
  const auto room = rooms_.find(session_entry->room->first);
  if (session_entry->live) count(*session_entry, -1);
  unlink(*session_entry);
  changes_.push_back(SessionGone{session_entry->id});
  sessions_.erase(session_entry->id);
  (session_entry->live ? live_ : dead_).erase(session_entry);
  drop_if_blank(room);
}

bool Ledger::leave(std::string_view session, std::string_view room) {
  const auto it = sessions_.find(session);
  if (it == sessions_.end() || it->second->room->first != room) return false;
  erase_session(it->second);
  return true;
}

bool Ledger::reported_since(std::string_view session, ServiceTime time) const {
  const auto it = sessions_.find(session);
  return it != sessions_.end() && it->second->reported_itself && *it->second->reported_itself >= time;
}

Ledger::Unlisted Ledger::remove_unlisted(ServiceTime listed, ServiceTime own, std::string& after, std::size_t limit) {
  constexpr std::size_t looks = 8;  // at sessions that stay, for each that may go
  Unlisted result;
  auto it = sessions_.upper_bound(after);
  for (std::size_t looked = 0; it != sessions_.end() && looked < limit * looks && result.rooms.size() < limit;
       ++looked) {
    const auto here = (it++)->second;
    const bool stays = here->refreshed >= listed || (here->reported_itself && *here->reported_itself >= own);
    after = here->id;
    if (!here->live || stays) continue;
    result.rooms.push_back(here->room->first);
    erase_session(here);
  }
  result.more = it != sessions_.end();
  return result;
}

bool Ledger::expire(ServiceTime now, Duration dead_after, std::size_t limit) {
  const auto is_due = [&] { return !live_.empty() && live_.front().refreshed + dead_after <= now; };
  for (; is_due() && limit > 0; --limit) {
    live_.front().live = false;
    count(live_.front(), -1);
    dead_.splice(dead_.end(), live_, live_.begin());
  }
  return is_due();
}

std::vector<std::string> Ledger::remove_expired(std::size_t limit) {
  std::vector<std::string> left;
  while (!dead_.empty() && left.size() < limit) {
    left.push_back(dead_.front().room->first);
    erase_session(dead_.begin());
  }
  return left;
}

std::size_t Ledger::forget_sessions(std::string_view room, std::size_t limit) {
  std::size_t forgotten = 0;
  for (const Room* entry = find(room); entry && entry->first_session && forgotten < limit; ++forgotten) {
    const bool is_last = entry->sessions == 1;
    erase_session(sessions_.find(entry->first_session->id)->second);
    if (is_last) entry = nullptr;  // it may have gone with it
  }
  return forgotten;
}

std::optional<GatewayNumber> Ledger::reported_gateway(std::string_view room) const {
  const Room* entry = find(room);
  if (!entry || entry->votes.empty()) return std::nullopt;
  // With as many votes the first by name: the same again after a restart, which numbers anew.
  return std::max_element(entry->votes.begin(), entry->votes.end(),
                          [&](const Vote& a, const Vote& b) {
                            return a.sessions != b.sessions ? a.sessions < b.sessions
                                                            : name_of(a.gateway) > name_of(b.gateway);
                          })
      ->gateway;
}

Session Ledger::session(const SessionEntry& session_entry) const {
  std::optional<std::string> reported;
  if (session_entry.gateway) reported = name_of(*session_entry.gateway);
  return {session_entry.id, session_entry.room->first, std::move(reported), session_entry.entered_at};
}

bool Ledger::note_sessions(std::string& after, std::size_t limit) {
  auto it = sessions_.upper_bound(after);
  for (std::size_t looked = 0; it != sessions_.end() && looked < limit; ++it, ++looked) {
    if (it->second->live) changes_.push_back(session(*it->second));
    if (looked + 1 == limit) after = it->first;
  }
  return it != sessions_.end();
}

std::optional<WallTime> Ledger::take_last_used(const std::string& room) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !std::exchange(it->second.touched, false)) return std::nullopt;
  // A pending row writes itself; were it withdrawn, the older time would be the file's anyway.
  if (!it->second.held || it->second.pending) return std::nullopt;
  return it->second.held->last_used_at;
}

}  // namespace domain
