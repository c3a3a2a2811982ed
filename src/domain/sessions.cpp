#include "domain/sessions.h"

#include <algorithm>
#include <utility>

namespace domain {

const SessionEntry* Sessions::find(std::string_view session) const {
  const auto it = by_id_.find(session);
  return it == by_id_.end() ? nullptr : &*it->second;
}

void Sessions::link(SessionEntry& session, Room& room) {
  session.room = &room;
  session.before = nullptr;
  session.after = room.second.first_session;
  if (session.after) session.after->before = &session;
  room.second.first_session = &session;
  ++room.second.sessions;
}

void Sessions::unlink(SessionEntry& session) {
  RoomInUse& room = session.room->second;
  (session.before ? session.before->after : room.first_session) = session.after;
  if (session.after) session.after->before = session.before;
  --room.sessions;
}

void Sessions::count_vote(const SessionEntry& session, int sign) {
  if (!session.gateway) return;
  std::vector<Vote>& votes = session.room->second.votes;
  auto vote =
      std::find_if(votes.begin(), votes.end(), [&](const Vote& one) { return one.gateway == *session.gateway; });
  if (sign > 0) {
    if (vote == votes.end()) vote = votes.insert(votes.end(), Vote{*session.gateway, 0});
    ++vote->sessions;
  } else if (--vote->sessions == 0) {
    votes.erase(vote);
  }
}

// A session that comes to life, or ends to live, where it is.
void Sessions::count(const SessionEntry& session, int sign) {
  RoomInUse& room = session.room->second;
  sign > 0 ? ++room.users : --room.users;
  count_vote(session, sign);
  users_changed_(*session.room);
}

SessionEntry& Sessions::add(SessionEntry session, Room& room) {
  live_.push_back(std::move(session));
  by_id_.emplace(live_.back().id, std::prev(live_.end()));
  link(live_.back(), room);
  count(live_.back(), 1);
  return live_.back();
}

void Sessions::restore(const Session& row, Room& room, std::optional<GatewayId> gateway, Moment now) {
  add({row.session_id, nullptr, now.service, {}, gateway, false, true, row.entered_at}, room);
}

Sessions::Entry Sessions::enter(std::string_view session, Room& room, std::optional<GatewayId> gateway, Report report,
                                Moment now) {
  Entry result{};
  if (const auto found = by_id_.find(session); found == by_id_.end()) {
    result.session = &add({std::string(session), nullptr, now.service, {}, {}, false, true, now.wall}, room);
    result.entered = true;
  } else {
    SessionEntry& known = *found->second;
    result.session = &known;
    const bool was_live = known.live;
    live_.splice(live_.end(), was_live ? live_ : silent_, found->second);
    if (was_live && known.room == &room) {
      result.is_changed = gateway && known.gateway != gateway;
    } else {
      if (known.room != &room) result.left = known.room;
      result.entered = !was_live;
      if (was_live) count(known, -1);
      unlink(known);
      known.live = true;
      known.entered_at = now.wall;
      known.gateway.reset();
      link(known, room);
      count(known, 1);
    }
  }
  SessionEntry& entry = *result.session;
  entry.refreshed = now.service;
  if (report == Report::own) entry.reported_itself = now.service;
  if (gateway && entry.gateway != gateway) {
    count_vote(entry, -1);
    entry.gateway = gateway;
    count_vote(entry, 1);
  }
  return result;
}

bool Sessions::mark_first_difference(std::string_view session) {
  const auto it = by_id_.find(session);
  return it != by_id_.end() && !std::exchange(it->second->difference_reported, true);
}

void Sessions::refresh(std::string_view session, ServiceTime now) {
  const auto it = by_id_.find(session);
  if (it == by_id_.end() || !it->second->live) return;
  it->second->refreshed = now;
  live_.splice(live_.end(), live_, it->second);
}

Sessions::Room& Sessions::erase(const SessionEntry& session) {
  const auto found = by_id_.find(session.id);
  const Entries::iterator entry = found->second;
  Room& room = *entry->room;
  if (entry->live) count(*entry, -1);
  unlink(*entry);
  by_id_.erase(found);
  (entry->live ? live_ : silent_).erase(entry);
  return room;
}

bool Sessions::expire(ServiceTime now, Duration dead_after, std::size_t limit) {
  const auto is_due = [&] { return !live_.empty() && live_.front().refreshed + dead_after <= now; };
  for (; is_due() && limit > 0; --limit) {
    live_.front().live = false;
    count(live_.front(), -1);
    silent_.splice(silent_.end(), live_, live_.begin());
  }
  return is_due();
}

bool Sessions::for_each_behind(std::string_view after, const std::function<bool(const SessionEntry&)>& look) {
  auto it = by_id_.upper_bound(after);
  while (it != by_id_.end() && look(*(it++)->second)) {
  }
  return it != by_id_.end();
}

}  // namespace domain
