// What the signaling server reports of one user: is in the room, or has left it.
// Any thread. A report of a room without assignment waits for the new one to become durable, for at most
// Claims::patience(), and so does the leave of a room's last user if a store is shared. A refused report changes
// nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/answer_room.h"
#include "app/registry.h"

namespace app {

struct SessionReport {
  const domain::RoomId& room;
  std::string_view session;
  std::optional<std::string_view> janus;  // where the session says it is
};

struct Reported {
  std::optional<std::string> janus;  // what holds the room
  std::size_t users;
};
std::variant<Reported, Refused> report_session(Registry& registry, const SessionReport& report);

struct Left {
  std::size_t users;
  bool assignment_removed;
};
// An unknown room or session, or one that is in another room by now: nothing changes.
Left leave_room(Registry& registry, const domain::RoomId& room, std::string_view session);

// One attempt to enter a session within a transaction; report_snapshot.h enters many.
struct EntryAttempt {
  std::optional<Refused> refused;
  std::shared_ptr<Claim> claim;  // wait for it, outside the transaction, and try again
  domain::Ledger::Entered entered;
};
// `waiting`: so many others wait for a claim, and will be sessions then.
EntryAttempt enter_session(Registry::Transaction& transaction, const SessionReport& report,
                           domain::Sessions::Report kind, std::size_t waiting = 0);
// For a session that was refused because of sessions.max: at most one line a minute.
void warn_of_too_many_sessions(Registry::Transaction& transaction);

// Live sessions of a room, at other sidecars too, and the end of its assignment if it just became empty and nobody is on the way.
std::size_t users_of(const Registry::View& view, const domain::RoomId& room);
// So many sessions at most are forgotten in one transaction.
constexpr std::size_t forgotten_per_slice = 128;
// Forgets the sessions of these rooms, in transactions of its own.
void forget_sessions(Registry& registry, const std::vector<domain::RoomId>& rooms);
Removal end_emptied(Registry::Transaction& transaction, const domain::RoomId& room);

}  // namespace app
