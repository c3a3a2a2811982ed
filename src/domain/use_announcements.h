// What is to be announced to the other sidecars: which rooms are used here, and by how many users. Marks it in the
// rooms that it is given (domain/rooms_in_use.h), which the ledger owns. Time comes in as an argument and must not go
// backwards. Not thread-safe: the ledger's owner holds the lock. Nothing fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "domain/room_id.h"
#include "domain/rooms_in_use.h"

namespace domain {

class UseAnnouncements {
 public:
  using Room = RoomsInUse::value_type;

  // From now on (or no longer) a changed use of an assigned room is announced. Everything counts as not announced.
  void restart(bool on);
  bool is_on() const { return is_on_; }

  Use announced(const RoomInUse& room) const {
    return room.announcing_epoch == epoch_ ? room.announced_use : Use::none;
  }
  // The use is announced by other means; returns what is to be announced.
  RoomUse mark(Room& room, Use use);
  // To be announced, unless that is so already.
  void enqueue(Room& room, Use use);
  std::vector<RoomUse> take() { return std::exchange(queued_, {}); }

  // The number of users has changed.
  void users_changed(const Room& room);
  // Rooms whose announced number of users is out of date, and older than a second. Looks at no more
  // than `limit` rooms behind `after`, which is moved on; false once there are no more.
  bool take_recounts(RoomsInUse& rooms, ServiceTime now, RoomId& after, std::size_t limit,
                     std::vector<RoomUse>& recounts);

 private:
  bool is_on_ = false;
  std::uint32_t epoch_ = 1;  // another each time it begins or ends
  std::vector<RoomUse> queued_;
  std::set<RoomId> to_recount_;  // rooms in use whose number of users has changed
};

}  // namespace domain
