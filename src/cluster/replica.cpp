#include "cluster/replica.h"

#include <utility>

namespace cluster {

std::uint32_t Replica::number_of(const std::string& name) {
  const auto [it, is_new] = numbers_.try_emplace(name, static_cast<std::uint32_t>(names_.size()));
  if (is_new) names_.push_back(name);
  return it->second;
}

std::optional<Replica::Room> Replica::room(const domain::RoomId& room) const {
  const auto it = rooms_.find(room);
  if (it == rooms_.end()) return std::nullopt;
  const Kept& kept = it->second;
  return Room{kept.modified, {it->first, names_[kept.gateway], kept.region, kept.assigned_at, kept.assigned_at}};
}

bool Replica::take_room(const domain::Assignment& row, etcd::Revision modified) {
  const auto it = rooms_.find(row.room_id);
  if (it == rooms_.end() ? modified <= followed_ && followed_ > 0 : modified <= it->second.modified) return false;
  rooms_[row.room_id] = {modified, number_of(row.gateway_name), row.region, row.assigned_at};
  if (modified > newest_.modified) newest_ = {row.room_id, modified};
  return true;
}

bool Replica::drop_room(const domain::RoomId& room, etcd::Revision at) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || it->second.modified >= at) return false;
  rooms_.erase(it);
  return true;
}

void Replica::forget_revisions() {
  followed_ = 0;
  newest_ = {};
  for (auto& entry : rooms_) entry.second.modified = 0;
}

const Replica::KnownTombstone* Replica::tombstone(const domain::RoomId& room) const {
  const auto it = tombstones_.find(room);
  return it == tombstones_.end() ? nullptr : &it->second;
}

void Replica::put_tombstone(const domain::RoomId& room, Tombstone value, etcd::Revision modified) {
  const auto it = tombstones_.find(room);
  if (it != tombstones_.end() && it->second.modified >= modified) return;
  tombstones_[room] = {modified, std::move(value), Clock::now()};
}

etcd::Revision Replica::use_mark(const domain::RoomId& room) const {
  const auto it = use_marks_.find(room);
  return it == use_marks_.end() ? 0 : it->second;
}

void Replica::set_users(const domain::RoomId& room, const std::string& sidecar, std::int64_t users) {
  const std::uint32_t number = number_of(sidecar);
  std::vector<Users>& all = users_[room];
  std::erase_if(all, [&](const Users& one) { return one.sidecar == number; });
  if (users > 0) all.push_back({number, users});
  if (all.empty()) users_.erase(room);
}

std::int64_t Replica::users(const domain::RoomId& room) const {
  const auto it = users_.find(room);
  if (it == users_.end()) return 0;
  std::int64_t sum = 0;
  for (const Users& one : it->second) sum += silent_.count(one.sidecar) > 0 ? 0 : one.users;
  return sum;
}

void Replica::set_silent(const std::set<std::string>& sidecars) {
  silent_.clear();
  for (const std::string& sidecar : sidecars) silent_.insert(number_of(sidecar));
}

std::vector<domain::RoomId> Replica::rooms_with_users(const domain::RoomId& behind, std::size_t limit) const {
  std::vector<domain::RoomId> rooms;
  for (auto it = users_.upper_bound(behind); it != users_.end() && rooms.size() < limit; ++it)
    rooms.push_back(it->first);
  return rooms;
}

const Replica::Failover* Replica::failover(std::string_view gateway) const {
  const auto it = failovers_.find(gateway);
  return it == failovers_.end() ? nullptr : &it->second;
}

void Replica::take_failover(const std::string& gateway, FailoverValue value, etcd::Revision modified) {
  failovers_[gateway] = {modified, std::move(value)};
}

}  // namespace cluster
