// What the signaling server reports of one user: is in the room, or has left it.
// Any thread. A report of a room without assignment waits for the new one to become durable, for at most
// Claims::patience(), and so does the leave of a room's last user if other sidecars have a say; a refused report changes nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/answer_room.h"
#include "app/desk.h"

namespace app {

struct SessionReport {
  std::string_view room;
  std::string_view session;
  std::optional<std::string_view> janus;  // where the session says it is
};

struct Reported {
  std::optional<std::string> janus;  // what holds the room
  std::size_t users;
};
std::variant<Reported, Refused> report_session(Desk& desk, const SessionReport& report);

struct Left {
  std::size_t users;
  bool assignment_removed;
};
// An unknown room or session, or one that is in another room by now: nothing changes.
Left leave_room(Desk& desk, std::string_view room, std::string_view session);

// One attempt to seat a session within a turn; report_snapshot.h seats many.
struct Seating {
  std::optional<Refused> refused;
  std::shared_ptr<Claim> claim;  // wait for it, outside the turn, and try again
  domain::Ledger::Entered entered;
};
// `waiting`: so many others wait for a claim, and will be sessions then.
Seating seat_session(Desk::Turn& turn, const SessionReport& report, domain::Ledger::Report kind,
                     std::size_t waiting = 0);

// Live sessions of a room, at other sidecars too, and the end of its assignment if it just became empty and nobody is on the way.
std::size_t users_of(Desk::Turn& turn, std::string_view room);
// So many sessions at most are forgotten in one turn.
constexpr std::size_t forgotten_a_turn = 128;
// Forgets the sessions of these rooms, in turns of its own.
void forget_sessions(Desk& desk, const std::vector<std::string>& rooms);
Ending end_emptied(Desk::Turn& turn, std::string_view room);

}  // namespace app
