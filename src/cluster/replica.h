// What this sidecar knows of the shared store, and as of which revision: the bookkeeping behind the ledger, which has the
// assignments themselves. Pure; its owner holds the lock of cluster/shared_state.h. Nothing fails.
//
// Two threads bring news: the one that follows changes, in order, and the one that writes, whose answers come
// before or after their own echo. So news older than what is known changes nothing: of a room by its
// revision, of a removal by the revision up to which all has been followed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/values.h"
#include "domain/room_id.h"
#include "etcd/client.h"

namespace cluster {

class Replica {
 public:
  using Clock = std::chrono::steady_clock;

  struct Room {
    etcd::Revision modified;
    domain::Assignment row;  // without times of use
  };
  struct KnownTombstone {
    etcd::Revision modified;
    Tombstone value;
    Clock::time_point since;  // when it was first seen here
  };
  struct Failover {
    etcd::Revision modified;
    FailoverValue value;
  };

  // All up to that revision has been taken in.
  etcd::Revision followed() const { return followed_; }
  void set_followed(etcd::Revision revision) { followed_ = revision; }

  std::optional<Room> room(const domain::RoomId& room) const;
  std::size_t rooms() const { return rooms_.size(); }
  // True if that is news.
  bool take_room(const domain::Assignment& row, etcd::Revision modified);
  // The one that was taken last of all, by its revision (0: none), whatever became of it.
  struct Newest {
    domain::RoomId room{};
    etcd::Revision modified = 0;
  };
  const Newest& newest() const { return newest_; }
  // Removed at that revision.
  bool drop_room(const domain::RoomId& room, etcd::Revision at);
  // Another store, or one that was put back: all revisions begin anew.
  void forget_revisions();

  const KnownTombstone* tombstone(const domain::RoomId& room) const;
  void put_tombstone(const domain::RoomId& room, Tombstone value, etcd::Revision modified);
  void drop_tombstone(const domain::RoomId& room) { tombstones_.erase(room); }
  const std::map<domain::RoomId, KnownTombstone>& tombstones() const { return tombstones_; }
  void forget_tombstones() { tombstones_.clear(); }

  // The revision of our use mark on the room; 0: it is not there.
  etcd::Revision use_mark(const domain::RoomId& room) const;
  void set_use_mark(const domain::RoomId& room, etcd::Revision modified) { use_marks_[room] = modified; }
  void drop_use_mark(const domain::RoomId& room) { use_marks_.erase(room); }
  // Those up to that revision.
  void forget_use_marks(etcd::Revision revision) {
    std::erase_if(use_marks_, [&](const auto& mark) { return mark.second <= revision; });
  }

  // How many users other sidecars have in their rooms. Those of silent sidecars count no more.
  void set_users(const domain::RoomId& room, const std::string& sidecar, std::int64_t users);
  std::int64_t users(const domain::RoomId& room) const;
  void forget_users() { users_.clear(); }
  void set_silent(const std::set<std::string>& sidecars);
  // Rooms with users behind that one, silent ones among them.
  std::vector<domain::RoomId> rooms_with_users(const domain::RoomId& behind, std::size_t limit) const;

  const Failover* failover(std::string_view gateway) const;
  void take_failover(const std::string& gateway, FailoverValue value, etcd::Revision modified);
  void drop_failover(const std::string& gateway) { failovers_.erase(gateway); }
  const std::map<std::string, Failover, std::less<>>& failovers() const { return failovers_; }
  void forget_failovers() { failovers_.clear(); }

 private:
  // Small, since there are a hundred thousand: names of gateways, as of sidecars, stand once.
  struct Kept {
    etcd::Revision modified;
    std::uint32_t gateway;
    std::string region;  // what callers name: kept as long as the room
    domain::WallTime assigned_at;
  };
  struct Users {
    std::uint32_t sidecar;
    std::int64_t users;
  };
  std::uint32_t number_of(const std::string& name);

  etcd::Revision followed_ = 0;
  Newest newest_;
  std::map<domain::RoomId, Kept> rooms_;
  std::map<domain::RoomId, KnownTombstone> tombstones_;
  std::map<domain::RoomId, etcd::Revision> use_marks_;
  std::map<domain::RoomId, std::vector<Users>> users_;
  std::set<std::uint32_t> silent_;
  std::map<std::string, Failover, std::less<>> failovers_;
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
  std::vector<std::string> names_;
};

}  // namespace cluster
