// Which gateway holds each room, and how many rooms and excess users each gateway has by that. Changes the rooms that
// it is given (domain/rooms_in_use.h), which the ledger owns. Not thread-safe: the ledger's owner holds the lock.
// Nothing fails; misuse is asserted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "domain/rooms_in_use.h"

namespace domain {

class Assignments {
 public:
  // From now on the room is held so, or (nothing) not at all.
  void hold(RoomInUse& room, std::optional<Held> held);
  // Books a gateway at full load at once; pending until confirmed or withdrawn.
  void book(RoomInUse& room, Held booking);
  // The claim was granted, to `holder`.
  void confirm(RoomInUse& room, GatewayId holder);
  // The claim failed: the room is held as it was before.
  void withdraw(RoomInUse& room);

  // By GatewayId; those behind the end have none.
  std::span<const std::int64_t> rooms_by_gateway() const { return rooms_; }

  // The users above that average count in each assigned room from now on, or (nothing) not. True: that is new, and
  // recount() is to be called for each room.
  bool count_excess_users(std::optional<std::int64_t> average);
  void recount(RoomInUse& room) { set_excess_users(room, excess_users_of(room)); }
  // By GatewayId; none if they are not counted.
  std::span<const std::int64_t> excess_users_by_gateway() const {
    return average_ ? std::span<const std::int64_t>(excess_users_) : std::span<const std::int64_t>{};
  }

 private:
  void set_excess_users(RoomInUse& room, std::int64_t excess_users);
  std::int64_t excess_users_of(const RoomInUse& room) const;

  std::vector<std::int64_t> rooms_;
  std::vector<std::int64_t> excess_users_;
  std::optional<std::int64_t> average_;
};

}  // namespace domain
