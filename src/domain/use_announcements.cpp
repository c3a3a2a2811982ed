#include "domain/use_announcements.h"

namespace domain {

void UseAnnouncements::restart(bool on) {
  is_on_ = on;
  ++epoch_;
  queued_.clear();
  to_recount_.clear();
}

RoomUse UseAnnouncements::mark(Room& room, Use use) {
  RoomInUse& entry = room.second;
  entry.announced_use = use;
  entry.announcing_epoch = epoch_;
  entry.announced_users = use == Use::live ? entry.users : 0;
  return {room.first, use, static_cast<std::int64_t>(entry.announced_users)};
}

void UseAnnouncements::enqueue(Room& room, Use use) {
  const Use before = announced(room.second);
  if (!is_on_ || before == use || !room.second.held) return;
  queued_.push_back(mark(room, use));
  queued_.back().is_first = before == Use::none;
}

void UseAnnouncements::users_changed(const Room& room) {
  if (is_on_ && announced(room.second) == Use::live) to_recount_.insert(room.first);
}

bool UseAnnouncements::take_recounts(RoomsInUse& rooms, ServiceTime now, RoomId& after, std::size_t limit,
                                     std::vector<RoomUse>& recounts) {
  constexpr std::chrono::seconds at_most_every{1};
  auto name = to_recount_.upper_bound(after);
  for (std::size_t looked = 0; name != to_recount_.end() && looked < limit; ++looked) {
    after = *name;
    const auto room = rooms.find(*name);
    const bool is_announced = room != rooms.end() && room->second.held && announced(room->second) == Use::live;
    if (is_announced && now < room->second.announced_at + at_most_every) {
      ++name;
      continue;
    }
    name = to_recount_.erase(name);
    if (!is_announced || room->second.users == room->second.announced_users) continue;
    room->second.announced_at = now;
    recounts.push_back(mark(*room, Use::live));
  }
  return name != to_recount_.end();
}

}  // namespace domain
