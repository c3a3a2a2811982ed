#include "domain/assignments.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace domain {

void Assignments::hold(RoomInUse& room, std::optional<Held> held) {
  set_excess_users(room, 0);
  if (room.held) --rooms_[index_of(room.held->gateway)];
  room.held = std::move(held);
  room.moved = false;
  if (room.held) {
    const std::size_t gateway = index_of(room.held->gateway);
    rooms_.resize(std::max(rooms_.size(), gateway + 1));
    excess_users_.resize(rooms_.size());
    ++rooms_[gateway];
  }
  recount(room);
}

void Assignments::book(RoomInUse& room, Held booking) {
  assert(!room.pending);
  if (room.held) room.before = std::make_unique<Held>(*room.held);
  hold(room, std::move(booking));
  room.pending = true;
}

void Assignments::confirm(RoomInUse& room, GatewayId holder) {
  assert(room.pending);
  room.pending = false;
  room.before.reset();
  if (room.held->gateway == holder) return;
  Held held = *room.held;
  held.gateway = holder;
  hold(room, std::move(held));
}

void Assignments::withdraw(RoomInUse& room) {
  assert(room.pending);
  room.pending = false;
  const std::unique_ptr<Held> before = std::move(room.before);
  hold(room, before ? std::optional<Held>(*before) : std::nullopt);
}

bool Assignments::count_excess_users(std::optional<std::int64_t> average) {
  return std::exchange(average_, average) != average;
}

std::int64_t Assignments::excess_users_of(const RoomInUse& room) const {
  if (!average_ || !room.held) return 0;
  return std::max<std::int64_t>(static_cast<std::int64_t>(room.all_users()) - *average_, 0);
}

void Assignments::set_excess_users(RoomInUse& room, std::int64_t excess_users) {
  if (room.held) excess_users_[index_of(room.held->gateway)] += excess_users - room.excess_users;
  room.excess_users = excess_users;
}

}  // namespace domain
