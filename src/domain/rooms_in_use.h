// The rooms in use, by name: plain values that the ledger's parts share (domain/ledger.h). Each part changes its own
// group of fields, and reads the others; the ledger changes any. Not thread-safe: the ledger's owner holds the lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/change.h"
#include "domain/gateway_numbers.h"
#include "domain/room_id.h"
#include "domain/time.h"

namespace domain {

struct Moment {
  ServiceTime service;
  WallTime wall;
};

// An assignment as it is held in memory.
struct Held {
  GatewayId gateway;
  std::string region;
  WallTime assigned_at;
  WallTime last_used_at;
};

// How many live sessions of a room report that they are on a gateway.
struct Vote {
  GatewayId gateway;
  std::uint32_t sessions;
};

struct SessionEntry;

// A room that is assigned, or has sessions, or both.
struct RoomInUse {
  // --- its assignment (domain/assignments.h)
  std::optional<Held> held;
  bool pending = false;           // booked, but not yet granted: wait for its claim
  std::unique_ptr<Held> before;   // what a pending booking replaces
  bool moved = false;             // to another gateway, and no answer has named it yet
  std::int64_t excess_users = 0;  // as it is counted for the gateway that holds the room

  // --- its sessions (domain/sessions.h)
  std::size_t users = 0;     // live sessions
  std::size_t sessions = 0;  // live and silent ones
  SessionEntry* first_session = nullptr;
  std::vector<Vote> votes;  // in no order

  // --- what is announced of it to the other sidecars, or being announced (domain/use_announcements.h)
  Use announced_use = Use::none;
  std::uint32_t announcing_epoch = 0;  // out of date if announcing began anew
  std::size_t announced_users = 0;
  ServiceTime announced_at{};

  // --- the rules across them (domain/ledger.h)
  bool touched = false;             // last_used_at is newer than the file's
  std::size_t users_elsewhere = 0;  // at other sidecars, as they announced
  // While set, an empty room keeps its assignment until join_grace after it.
  std::optional<ServiceTime> grace_since;
  std::optional<ServiceTime> elsewhere_until;  // another sidecar used it when that was last asked

  // By its sessions. Ledger::is_occupied also looks at the gateways' room lists.
  bool has_users() const { return users > 0; }
  std::size_t all_users() const { return users + users_elsewhere; }
  // What holds the room in the file too: while a booking is pending, what it is to replace.
  const Held* granted() const { return pending ? before.get() : held ? &*held : nullptr; }
};
using RoomsInUse = std::map<RoomId, RoomInUse>;

}  // namespace domain
