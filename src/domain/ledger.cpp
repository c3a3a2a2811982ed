#include "domain/ledger.h"

#include <algorithm>
#include <cassert>

namespace domain {

GatewayNumber Ledger::number_of(std::string_view gateway) {
  const auto [it, is_new] = numbers_.try_emplace(std::string(gateway), static_cast<GatewayNumber>(names_.size()));
  if (is_new) {
    names_.push_back(&it->first);
    rooms_of_.push_back(0);
    crowd_of_.push_back(0);
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
  if (!room->second.held && room->second.sessions == 0) rooms_.erase(room);
}

void Ledger::set_held(Room& room, std::optional<Held> held) {
  const std::int64_t crowded = crowd(room);
  if (room.held) {
    --rooms_of_[room.held->gateway];
    crowd_of_[room.held->gateway] -= crowded;
  }
  room.held = std::move(held);
  room.moved = false;
  if (room.held) {
    ++rooms_of_[room.held->gateway];
    crowd_of_[room.held->gateway] += crowded;
  }
}

std::int64_t Ledger::crowd(const Room& room) const {
  return average_ ? std::max<std::int64_t>(static_cast<std::int64_t>(room.users) - *average_, 0) : 0;
}

void Ledger::add_user(Room& room, int sign) {
  const std::int64_t before = crowd(room);
  sign > 0 ? ++room.users : --room.users;
  if (room.held) crowd_of_[room.held->gateway] += crowd(room) - before;
}

void Ledger::count_crowd(std::optional<std::int64_t> average) {
  if (average_ == average) return;
  average_ = average;
  std::fill(crowd_of_.begin(), crowd_of_.end(), 0);
  for (const auto& [name, room] : rooms_) {
    if (room.held) crowd_of_[room.held->gateway] += crowd(room);
  }
}

void Ledger::note_assignment(const Rooms::value_type& room) {
  if (room.second.held) {
    changes_.push_back(assignment(room.first, *room.second.held));
  } else {
    changes_.push_back(AssignmentGone{room.first});
  }
}

void Ledger::restore(const std::vector<Assignment>& assignments, const std::vector<Session>& sessions,
                     const std::vector<Failover>& failovers, Moment now) {
  for (const Failover& row : failovers) {
    Leaving& leaving = leaving_[number_of(row.gateway_name)];
    if (row.standby) leaving.standby = number_of(*row.standby);
  }
  for (const Assignment& row : assignments) {
    Room& room = room_entry(row.room_id).second;
    set_held(room, Held{number_of(row.gateway_name), row.region, row.assigned_at, row.last_used_at});
    room.kept_since = now.service;
  }
  for (const Session& row : sessions) {
    if (seats_.count(row.session_id)) continue;
    auto& entry = room_entry(row.room_id);
    std::optional<GatewayNumber> gateway;
    if (row.reported_gateway) gateway = number_of(*row.reported_gateway);
    live_.push_back({row.session_id, &entry, now.service, {}, gateway, false, true, row.entered_at});
    seats_.emplace(live_.back().id, std::prev(live_.end()));
    add_user(entry.second, 1);
    ++entry.second.sessions;
  }
}

void Ledger::book(std::string_view room, GatewayNumber gateway, std::string_view region, Moment now) {
  auto& entry = room_entry(room);
  assert(!entry.second.pending);
  if (entry.second.held) entry.second.before = std::make_unique<Held>(*entry.second.held);
  set_held(entry.second, Held{gateway, std::string(region), now.wall, now.wall});
  entry.second.pending = true;
  entry.second.kept_since = now.service;
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
  note_assignment(*it);
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
    if (it->second.use_told == Use::none) note_use(*it, Use::kept);
  }
  touch(room, now.wall);
}

void Ledger::begin_leaving(GatewayNumber gateway, std::optional<GatewayNumber> standby) {
  const auto [it, is_new] = leaving_.try_emplace(gateway);
  Leaving& leaving = it->second;
  if (leaving.told) {  // a new wave
    leaving.told = false;
    leaving.moved = 0;
    leaving.taken_by.clear();
  }
  if (!is_new && leaving.standby == standby) return;
  leaving.standby = standby;
  Failover row{name_of(gateway), std::nullopt};
  if (standby) row.standby = name_of(*standby);
  changes_.push_back(std::move(row));
}

void Ledger::note_move(std::string_view room, GatewayNumber from, bool seen) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !it->second.held) return;
  it->second.moved = !seen;
  if (const auto leaving = leaving_.find(from); leaving != leaving_.end()) {
    ++leaving->second.moved;
    leaving->second.taken_by.insert(it->second.held->gateway);
  }
}

void Ledger::end_leaving(GatewayNumber gateway) {
  if (leaving_.erase(gateway) > 0) changes_.push_back(FailoverGone{name_of(gateway)});
}

bool Ledger::may_end(std::string_view room, ServiceTime now, Duration join_grace) const {
  const Room* entry = find(room);
  if (!entry || !entry->held || entry->pending || is_occupied(room, now)) return false;
  if (occupancy_ && occupancy_->is_unheard(entry->held->gateway)) return false;
  return !entry->kept_since || now >= *entry->kept_since + join_grace;
}

void Ledger::tell_uses(bool on) {
  tells_uses_ = on;
  uses_.clear();
  returning_.clear();
  for (auto& entry : rooms_) entry.second.use_told = Use::none;
}

void Ledger::note_use(Rooms::value_type& room, Use use) {
  if (!tells_uses_ || room.second.use_told == use || !room.second.held) return;
  const bool is_first = std::exchange(room.second.use_told, use) == Use::none;
  uses_.push_back({room.first, use, is_first});
}

void Ledger::set_use_told(std::string_view room, Use use) {
  const auto it = rooms_.find(room);
  if (it != rooms_.end()) it->second.use_told = use;
}

void Ledger::note_emptied(std::string_view room) {
  const auto it = rooms_.find(room);
  if (it != rooms_.end() && it->second.use_told == Use::live && !it->second.has_users()) note_use(*it, Use::kept);
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
  note_assignment(entry);
}

void Ledger::unfollow(std::string_view room) { end_assignment(room); }

void Ledger::set_returning(const std::string& room, std::optional<std::string_view> gateway) {
  if (gateway) {
    returning_.insert_or_assign(room, number_of(*gateway));
  } else {
    returning_.erase(room);
  }
}

std::optional<GatewayNumber> Ledger::returns_to(std::string_view room) const {
  const auto it = returning_.find(room);
  return it == returning_.end() ? std::nullopt : std::optional(it->second);
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
  if (it != rooms_.end() && !it->second.pending) note_assignment(*it);
}

bool Ledger::end_assignment(std::string_view room) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !it->second.held || it->second.pending) return false;
  set_held(it->second, std::nullopt);
  it->second.kept_since.reset();
  it->second.use_told = Use::none;
  note_assignment(*it);
  drop_if_blank(it);
  return true;
}

void Ledger::keep(std::string_view room, ServiceTime now) {
  const auto it = rooms_.find(room);
  if (it != rooms_.end() && it->second.held) it->second.kept_since = now;
}

Ledger::Entered Ledger::enter(std::string_view session, std::string_view room, std::optional<std::string_view> reported,
                              Report report, Moment now) {
  Entered result;
  std::optional<GatewayNumber> gateway;
  if (reported) gateway = number_of(*reported);
  auto& entry = room_entry(room);
  const auto found = seats_.find(session);
  bool write = true;
  Seats::iterator seat;
  if (found == seats_.end()) {
    live_.push_back({std::string(session), &entry, now.service, {}, {}, false, true, now.wall});
    seat = std::prev(live_.end());
    seats_.emplace(seat->id, seat);
    ++entry.second.sessions;
    add_user(entry.second, 1);
    result.entered = true;
  } else {
    seat = found->second;
    Rooms::value_type* before = seat->room;
    const bool was_live = seat->live;
    live_.splice(live_.end(), was_live ? live_ : dead_, seat);
    seat->live = true;
    if (was_live && before == &entry) {
      write = gateway && seat->gateway != gateway;
    } else {
      // From dead or from another room: the new one first, then the old, so that nobody sees it nowhere.
      ++entry.second.sessions;
      add_user(entry.second, 1);
      seat->room = &entry;
      seat->entered_at = now.wall;
      seat->gateway.reset();
      --before->second.sessions;
      if (was_live) add_user(before->second, -1);
      if (before != &entry && was_live) result.moved_from = before->first;
      result.entered = !was_live;
      if (before != &entry) drop_if_blank(rooms_.find(before->first));
    }
  }
  if (result.entered || result.moved_from) entry.second.kept_since.reset();
  seat->refreshed = now.service;
  if (report == Report::own) seat->reported_itself = now.service;
  if (gateway) seat->gateway = gateway;
  if (write) changes_.push_back(this->session(*seat));
  note_use(entry, Use::live);
  return result;
}

bool Ledger::tells_first_difference(std::string_view session) {
  const auto it = seats_.find(session);
  return it != seats_.end() && !std::exchange(it->second->difference_told, true);
}

void Ledger::refresh(std::string_view session, ServiceTime now) {
  const auto it = seats_.find(session);
  if (it == seats_.end() || !it->second->live) return;
  it->second->refreshed = now;
  live_.splice(live_.end(), live_, it->second);
}

void Ledger::unseat(Seats::iterator seat) {
  const auto room = rooms_.find(seat->room->first);
  --room->second.sessions;
  if (seat->live) add_user(room->second, -1);
  changes_.push_back(SessionGone{seat->id});
  seats_.erase(seat->id);
  (seat->live ? live_ : dead_).erase(seat);
  drop_if_blank(room);
}

bool Ledger::leave(std::string_view session, std::string_view room) {
  const auto it = seats_.find(session);
  if (it == seats_.end() || it->second->room->first != room) return false;
  unseat(it->second);
  return true;
}

bool Ledger::reported_since(std::string_view session, ServiceTime time) const {
  const auto it = seats_.find(session);
  return it != seats_.end() && it->second->reported_itself && *it->second->reported_itself >= time;
}

Ledger::Swept Ledger::sweep(ServiceTime listed, ServiceTime own, std::size_t limit) {
  Swept result;
  for (auto seat = live_.begin(); seat != live_.end() && seat->refreshed < listed;) {
    const auto here = seat++;
    if (here->reported_itself && *here->reported_itself >= own) continue;
    if (result.left == limit) {
      result.more = true;
      break;
    }
    result.rooms.push_back(here->room->first);
    ++result.left;
    unseat(here);
  }
  return result;
}

void Ledger::expire(ServiceTime now, Duration dead_after) {
  while (!live_.empty() && live_.front().refreshed + dead_after <= now) {
    live_.front().live = false;
    add_user(live_.front().room->second, -1);
    dead_.splice(dead_.end(), live_, live_.begin());
  }
}

std::vector<std::string> Ledger::bury() {
  std::vector<std::string> left;
  while (!dead_.empty()) {
    left.push_back(dead_.front().room->first);
    unseat(dead_.begin());
  }
  return left;
}

void Ledger::forget_sessions(const std::function<bool(const std::string&)>& of_room) {
  for (Seats* seats : {&live_, &dead_}) {
    for (auto seat = seats->begin(); seat != seats->end();) {
      const auto here = seat++;
      if (of_room(here->room->first)) unseat(here);
    }
  }
}

std::optional<GatewayNumber> Ledger::reported_gateway(std::string_view room) const {
  const auto all = reported_gateways();
  const auto it = all.find(room);
  return it == all.end() ? std::nullopt : std::optional<GatewayNumber>(it->second);
}

std::map<std::string_view, GatewayNumber> Ledger::reported_gateways() const {
  std::map<std::string_view, std::map<GatewayNumber, std::size_t>> votes;
  for (const Seat& seat : live_) {
    if (seat.gateway) ++votes[seat.room->first][*seat.gateway];
  }
  std::map<std::string_view, GatewayNumber> most;
  for (const auto& [room, counts] : votes) {
    // Of as many votes the first by name: the same again after a restart, which numbers anew.
    const auto winner = std::max_element(counts.begin(), counts.end(), [&](const auto& a, const auto& b) {
      return a.second != b.second ? a.second < b.second : name_of(a.first) > name_of(b.first);
    });
    most.emplace(room, winner->first);
  }
  return most;
}

Session Ledger::session(const Seat& seat) const {
  std::optional<std::string> reported;
  if (seat.gateway) reported = name_of(*seat.gateway);
  return {seat.id, seat.room->first, std::move(reported), seat.entered_at};
}

void Ledger::note_sessions() {
  for (const Seat& seat : live_) changes_.push_back(session(seat));
}

std::optional<WallTime> Ledger::take_last_used(const std::string& room) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !std::exchange(it->second.touched, false)) return std::nullopt;
  // A pending row writes itself; were it withdrawn, the older time would be the file's anyway.
  if (!it->second.held || it->second.pending) return std::nullopt;
  return it->second.held->last_used_at;
}

}  // namespace domain
