#include "app/splits.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "app/event_log.h"
#include "app/rooms_heard.h"

namespace app {
namespace {

constexpr std::size_t splits_a_turn = 128;

// Nobody is on a gateway that is down: who says so has not been told yet that the room was moved.
bool is_elsewhere(Desk::Turn& turn, domain::GatewayNumber gateway, const std::string& answered) {
  return turn.ledger().name_of(gateway) != answered && !turn.health().is_surely_down(gateway);
}

bool is_split_by_sessions(Desk::Turn& turn, const std::string& room) {
  const auto answered = standing_gateway(turn.policy(), turn.ledger(), room);
  const domain::Ledger::Room* entry = turn.ledger().find(room);
  if (!answered || !entry) return false;
  return std::any_of(entry->votes.begin(), entry->votes.end(),
                     [&](const auto& vote) { return is_elsewhere(turn, vote.gateway, *answered); });
}

std::string text_of(const std::map<std::string, std::int64_t>& parts) {
  std::string text;
  for (const auto& [gateway, users] : parts) {
    text += (text.empty() ? "" : ",") + gateway + ":" + std::to_string(users);
  }
  return text;
}

}  // namespace

void note_split(Desk::Turn& turn, const std::string& room, SplitBy by) {
  Split& split = turn.splits().try_emplace(room, Split{turn.now().wall}).first->second;
  split.by_lists |= by == SplitBy::lists;
  split.by_sessions |= by == SplitBy::sessions;
  // The log has a line of the session's already.
  if (by == SplitBy::sessions || std::exchange(split.is_logged, true)) return;
  const auto answered = standing_gateway(turn.policy(), turn.ledger(), room);
  log_warn(
      "Room is split",
      {{"room_id", room}, {"gateway_name", answered.value_or("")}, {"participants", text_of(parts_of(turn, room))}});
}

void end_split(Desk::Turn& turn, const std::string& room, SplitBy by) {
  const auto split = turn.splits().find(room);
  if (split == turn.splits().end()) return;
  (by == SplitBy::lists ? split->second.by_lists : split->second.by_sessions) = false;
  if (split->second.by_lists || split->second.by_sessions) return;
  if (split->second.is_logged) log_info("Room is no longer split", {{"room_id", room}});
  turn.splits().erase(split);
}

void look_for_split(Desk::Turn& turn, const std::string& room, const std::string& reported) {
  const auto answered = standing_gateway(turn.policy(), turn.ledger(), room);
  if (!answered || !is_elsewhere(turn, turn.ledger().number_of(reported), *answered)) return;
  note_split(turn, room, SplitBy::sessions);
}

void end_splits(Desk& desk, SplitBy by, const std::function<bool(Desk::Turn&, const std::string&)>& is_over) {
  std::string last;
  for (bool more = true; more; desk.let_others_pass()) {
    Desk::Turn turn(desk);
    std::vector<std::string> rooms;
    auto split = turn.splits().upper_bound(last);
    for (; split != turn.splits().end() && rooms.size() < splits_a_turn; ++split) rooms.push_back(split->first);
    more = split != turn.splits().end();
    for (const std::string& room : rooms) {
      if (is_over(turn, room)) end_split(turn, room, by);
    }
    if (more) last = rooms.back();
  }
}

void heal_splits(Desk& desk) {
  end_splits(desk, SplitBy::sessions, [](Desk::Turn& turn, const std::string& room) {
    return turn.splits().at(room).by_sessions && !is_split_by_sessions(turn, room);
  });
}

std::map<std::string, std::int64_t> parts_of(Desk::Turn& turn, const std::string& room) {
  std::map<std::string, std::int64_t> parts;
  for (const auto& presence : presences_of(turn, room)) {
    parts[turn.ledger().name_of(presence.gateway)] = presence.participants;
  }
  const domain::Ledger::Room* entry = turn.ledger().find(room);
  if (!entry) return parts;
  for (const auto& vote : entry->votes) {
    std::int64_t& users = parts[turn.ledger().name_of(vote.gateway)];
    users = std::max<std::int64_t>(users, vote.sessions);
  }
  return parts;
}

}  // namespace app
