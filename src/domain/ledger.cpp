#include "domain/ledger.h"

#include <algorithm>
#include <cassert>

namespace domain {

Ledger::Ledger() : sessions_([this](RoomsInUse::value_type& room) { users_changed(room); }) {}

const Ledger::Room* Ledger::find(const RoomId& room) const {
  const auto it = rooms_.find(room);
  return it == rooms_.end() ? nullptr : &it->second;
}

bool Ledger::is_occupied(const RoomId& room, ServiceTime now) const {
  const Room* entry = find(room);
  if (entry && entry->has_users()) return true;
  if (!occupancy_) return false;
  std::optional<GatewayId> holder;
  if (entry && entry->held) holder = entry->held->gateway;
  return occupancy_->occupied(room, holder, now);
}

Assignment Ledger::assignment(const RoomId& room, const Held& held) const {
  return {room, name_of(held.gateway), held.region, held.assigned_at, held.last_used_at};
}

RoomsInUse::value_type& Ledger::room_entry(const RoomId& room) {
  const auto it = rooms_.lower_bound(room);
  if (it != rooms_.end() && it->first == room) return *it;
  return *rooms_.emplace_hint(it, room, Room{});
}

void Ledger::drop_if_blank(const RoomId& room) { drop_if_blank(rooms_.find(room)); }

void Ledger::drop_if_blank(RoomsInUse::iterator room) {
  const Room& entry = room->second;
  if (!entry.held && entry.sessions == 0 && entry.users_elsewhere == 0) rooms_.erase(room);
}

void Ledger::users_changed(RoomsInUse::value_type& room) {
  assignments_.recount(room.second);
  uses_.users_changed(room);
}

bool Ledger::recount_excess_users(RoomId& after, std::size_t limit) {
  auto entry = rooms_.upper_bound(after);
  for (std::size_t looked = 0; entry != rooms_.end() && looked < limit; ++entry, ++looked) {
    assignments_.recount(entry->second);
    if (looked + 1 == limit) after = entry->first;
  }
  return entry != rooms_.end();
}

void Ledger::enqueue_assignment(const RoomsInUse::value_type& room) {
  if (room.second.held) {
    changes_.push_back(assignment(room.first, *room.second.held));
  } else {
    changes_.push_back(AssignmentGone{room.first});
  }
}

void Ledger::restore(const std::vector<Assignment>& assignments, const std::vector<Session>& sessions,
                     const std::vector<Failover>& failovers, Moment now) {
  for (const Failover& row : failovers) {
    std::optional<GatewayId> standby;
    if (row.standby) standby = number_of(*row.standby);
    evacuations_.begin(number_of(row.gateway_name), standby);
  }
  for (const Assignment& row : assignments) {
    Room& room = room_entry(row.room_id).second;
    assignments_.hold(room, Held{number_of(row.gateway_name), row.region, row.assigned_at, row.last_used_at});
    room.grace_since = now.service;
  }
  for (const Session& row : sessions) {
    std::optional<GatewayId> gateway;
    if (row.reported_gateway) gateway = number_of(*row.reported_gateway);
    if (!sessions_.find(row.session_id)) sessions_.restore(row, room_entry(row.room_id), gateway, now);
  }
}

void Ledger::book(const RoomId& room, GatewayId gateway, std::string_view region, Moment now) {
  Room& entry = room_entry(room).second;
  assignments_.book(entry, Held{gateway, std::string(region), now.wall, now.wall});
  entry.grace_since = now.service;
}

void Ledger::forget_replaced(const RoomId& room) { rooms_.find(room)->second.before.reset(); }

void Ledger::confirm(const RoomId& room, GatewayId holder) { assignments_.confirm(rooms_.find(room)->second, holder); }

void Ledger::withdraw(const RoomId& room) {
  const auto it = rooms_.find(room);
  assert(it != rooms_.end());
  assignments_.withdraw(it->second);
  enqueue_assignment(*it);
  drop_if_blank(it);
}

void Ledger::touch(const RoomId& room, WallTime now) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !it->second.held) return;
  it->second.held->last_used_at = now;
  if (!it->second.touched) {
    it->second.touched = true;
    touched_.push_back(it->first);
  }
}

void Ledger::answered(const RoomId& room, Moment now) {
  keep(room, now.service);
  if (const auto it = rooms_.find(room); it != rooms_.end()) {
    it->second.moved = false;
    if (announced_use(it->second) == Use::none) uses_.enqueue(*it, Use::kept);
  }
  touch(room, now.wall);
}

void Ledger::begin_evacuation(GatewayId gateway, std::optional<GatewayId> standby) {
  if (!evacuations_.begin(gateway, standby)) return;
  Failover row{name_of(gateway), std::nullopt};
  if (standby) row.standby = name_of(*standby);
  changes_.push_back(std::move(row));
}

void Ledger::note_move(const RoomId& room, GatewayId from, bool seen) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !it->second.held) return;
  it->second.moved = !seen;
  evacuations_.note_move(from, it->second.held->gateway);
}

void Ledger::end_evacuation(GatewayId gateway) {
  if (evacuations_.end(gateway)) changes_.push_back(FailoverGone{name_of(gateway)});
}

bool Ledger::may_end(const RoomId& room, ServiceTime now, Duration join_grace) const {
  const Room* entry = find(room);
  if (!entry || !entry->held || entry->pending || is_occupied(room, now) || is_as_legacy_left(room)) return false;
  if (occupancy_ && occupancy_->is_unobserved(entry->held->gateway)) return false;
  return !entry->grace_since || now >= *entry->grace_since + join_grace;
}

void Ledger::announce_uses(bool on) {
  uses_.restart(on);
  tombstones_.clear();
}

Use Ledger::announced_use(const RoomId& room) const {
  const Room* entry = find(room);
  return entry ? announced_use(*entry) : Use::none;
}

RoomUse Ledger::set_announced_use(const RoomId& room, Use use) {
  const auto it = rooms_.find(room);
  return it == rooms_.end() ? RoomUse{room, use} : uses_.mark(*it, use);
}

void Ledger::note_emptied(const RoomId& room) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || it->second.has_users()) return;
  if (announced_use(it->second) == Use::live) uses_.enqueue(*it, Use::kept);
}

void Ledger::set_users_elsewhere(const RoomId& room, std::size_t users) {
  const auto it = users > 0 ? rooms_.find(room_entry(room).first) : rooms_.find(room);
  if (it == rooms_.end()) return;
  it->second.users_elsewhere = users;
  assignments_.recount(it->second);
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
  assignments_.hold(room, std::move(held));
  room.moved = moves;
  enqueue_assignment(entry);
}

void Ledger::unfollow(const RoomId& room) { end_assignment(room); }

void Ledger::set_tombstone(const RoomId& room, std::optional<std::string_view> gateway) {
  if (gateway) {
    tombstones_.insert_or_assign(room, number_of(*gateway));
  } else {
    tombstones_.erase(room);
  }
}

std::optional<GatewayId> Ledger::tombstone_gateway(const RoomId& room) const {
  const auto it = tombstones_.find(room);
  return it == tombstones_.end() ? std::nullopt : std::optional(it->second);
}

void Ledger::note_elsewhere(const RoomId& room, ServiceTime until) {
  const auto it = rooms_.find(room);
  if (it != rooms_.end()) it->second.elsewhere_until = until;
}

bool Ledger::is_used_elsewhere(const RoomId& room, ServiceTime now) const {
  const Room* entry = find(room);
  return entry && entry->elsewhere_until && now < *entry->elsewhere_until;
}

void Ledger::note(const RoomId& room) {
  const auto it = rooms_.find(room);
  if (it != rooms_.end() && !it->second.pending) enqueue_assignment(*it);
}

bool Ledger::end_assignment(const RoomId& room) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !it->second.held || it->second.pending) return false;
  assignments_.hold(it->second, std::nullopt);
  it->second.grace_since.reset();
  uses_.mark(*it, Use::none);
  enqueue_assignment(*it);
  drop_if_blank(it);
  return true;
}

void Ledger::keep(const RoomId& room, ServiceTime now) {
  const auto it = rooms_.find(room);
  if (it != rooms_.end() && it->second.held) it->second.grace_since = now;
}

Ledger::Entered Ledger::enter(std::string_view session, const RoomId& room, std::optional<std::string_view> reported,
                              Sessions::Report report, Moment now) {
  std::optional<GatewayId> gateway;
  if (reported) gateway = number_of(*reported);
  auto& entry = room_entry(room);
  const Sessions::Entry made = sessions_.enter(session, entry, gateway, report, now);
  Entered result{made.entered, std::nullopt};
  if (made.left) {
    const RoomId left = made.left->first;
    drop_if_blank(left);
    if (!made.entered) result.moved_from = left;
  }
  if (result.entered || result.moved_from) entry.second.grace_since.reset();
  if (made.is_changed) changes_.push_back(row_of(*made.session));
  if (announced_use(entry.second) != Use::live) {
    uses_.enqueue(entry, Use::live);
    entry.second.announced_at = now.service;
  }
  return result;
}

void Ledger::erase_session(const SessionEntry& session) {
  changes_.push_back(SessionGone{session.id});
  drop_if_blank(sessions_.erase(session).first);
}

bool Ledger::leave(std::string_view session, const RoomId& room) {
  const SessionEntry* found = sessions_.find(session);
  if (!found || found->room->first != room) return false;
  erase_session(*found);
  return true;
}

Ledger::Unlisted Ledger::remove_unlisted(ServiceTime listed, ServiceTime own, std::string& after, std::size_t limit) {
  constexpr std::size_t looks = 8;  // at sessions that stay, for each that may go
  Unlisted result;
  std::size_t looked = 0;
  result.more = sessions_.for_each_behind(after, [&](const SessionEntry& session) {
    const bool stays =
        !session.live || session.refreshed >= listed || (session.reported_itself && *session.reported_itself >= own);
    after = session.id;
    if (!stays) {
      result.rooms.push_back(session.room->first);
      erase_session(session);
    }
    return ++looked < limit * looks && result.rooms.size() < limit;
  });
  return result;
}

std::vector<RoomId> Ledger::remove_expired(std::size_t limit) {
  std::vector<RoomId> left;
  for (const SessionEntry* session; left.size() < limit && (session = sessions_.first_expired());) {
    left.push_back(session->room->first);
    erase_session(*session);
  }
  return left;
}

std::size_t Ledger::forget_sessions(const RoomId& room, std::size_t limit) {
  std::size_t forgotten = 0;
  for (const Room* entry = find(room); entry && entry->first_session && forgotten < limit; ++forgotten) {
    const bool is_last = entry->sessions == 1;
    erase_session(*entry->first_session);
    if (is_last) entry = nullptr;  // it may have gone with it
  }
  return forgotten;
}

std::optional<GatewayId> Ledger::reported_gateway(const RoomId& room) const {
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

Session Ledger::row_of(const SessionEntry& session) const {
  std::optional<std::string> reported;
  if (session.gateway) reported = name_of(*session.gateway);
  return {session.id, session.room->first, std::move(reported), session.entered_at};
}

bool Ledger::note_sessions(std::string& after, std::size_t limit) {
  std::size_t looked = 0;
  return sessions_.for_each_behind(after, [&](const SessionEntry& session) {
    if (session.live) changes_.push_back(row_of(session));
    after = session.id;
    return ++looked < limit;
  });
}

std::optional<WallTime> Ledger::take_last_used(const RoomId& room) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !std::exchange(it->second.touched, false)) return std::nullopt;
  // A pending row writes itself; were it withdrawn, the older time would be the file's anyway.
  if (!it->second.held || it->second.pending) return std::nullopt;
  return it->second.held->last_used_at;
}

}  // namespace domain
