#include "app/splits.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "app/room_lists.h"
#include "logging/log.h"

namespace app {
namespace {

constexpr std::size_t splits_per_slice = 128;

// No user is on a gateway that is down: a session that reports it does not know yet that the room was moved.
bool is_elsewhere(const Registry::View& view, domain::GatewayId gateway, const std::string& answered) {
  return view.ledger().name_of(gateway) != answered && !view.health().is_surely_down(gateway);
}

bool is_split_by_sessions(const Registry::View& view, const domain::RoomId& room) {
  const auto answered = standing_gateway(view.policy(), view.ledger(), room);
  const domain::Ledger::Room* entry = view.ledger().find(room);
  if (!answered || !entry) return false;
  return std::any_of(entry->votes.begin(), entry->votes.end(),
                     [&](const auto& vote) { return is_elsewhere(view, vote.gateway, *answered); });
}

std::string text_of(const std::map<std::string, std::int64_t>& parts) {
  std::string text;
  for (const auto& [gateway, users] : parts) {
    text += (text.empty() ? "" : ",") + gateway + ":" + std::to_string(users);
  }
  return text;
}

}  // namespace

void note_split(Registry::Transaction& transaction, const domain::RoomId& room, SplitBy by) {
  Split& split = transaction.splits().try_emplace(room, Split{transaction.now().wall}).first->second;
  split.by_lists |= by == SplitBy::lists;
  split.by_sessions |= by == SplitBy::sessions;
  // The log has a line of the session's already.
  if (by == SplitBy::sessions || std::exchange(split.is_logged, true)) return;
  const auto answered = standing_gateway(transaction.policy(), transaction.ledger(), room);
  logging::warn("Room is split", {{"room_id", room},
                                  {"gateway_name", answered.value_or("")},
                                  {"participants", text_of(parts_of(transaction, room))}});
}

void end_split(Registry::Transaction& transaction, const domain::RoomId& room, SplitBy by) {
  const auto split = transaction.splits().find(room);
  if (split == transaction.splits().end()) return;
  (by == SplitBy::lists ? split->second.by_lists : split->second.by_sessions) = false;
  if (split->second.by_lists || split->second.by_sessions) return;
  if (split->second.is_logged) logging::info("Room is no longer split", {{"room_id", room}});
  transaction.splits().erase(split);
}

void look_for_split(Registry::Transaction& transaction, const domain::RoomId& room, const std::string& reported) {
  const auto answered = standing_gateway(transaction.policy(), transaction.ledger(), room);
  if (!answered || !is_elsewhere(transaction, transaction.ledger().number_of(reported), *answered)) return;
  note_split(transaction, room, SplitBy::sessions);
}

void end_splits(Registry& registry, SplitBy by,
                const std::function<bool(Registry::Transaction&, const domain::RoomId& room)>& is_over) {
  domain::RoomId last;
  for (bool more = true; more; registry.pause_between_slices()) {
    Registry::Transaction transaction(registry);
    std::vector<domain::RoomId> rooms;
    auto split = transaction.splits().upper_bound(last);
    for (; split != transaction.splits().end() && rooms.size() < splits_per_slice; ++split)
      rooms.push_back(split->first);
    more = split != transaction.splits().end();
    for (const domain::RoomId& room : rooms) {
      if (is_over(transaction, room)) end_split(transaction, room, by);
    }
    if (more) last = rooms.back();
  }
}

void heal_splits(Registry& registry) {
  end_splits(registry, SplitBy::sessions, [](Registry::Transaction& transaction, const domain::RoomId& room) {
    return transaction.splits().at(room).by_sessions && !is_split_by_sessions(transaction, room);
  });
}

std::map<std::string, std::int64_t> parts_of(const Registry::View& view, const domain::RoomId& room) {
  std::map<std::string, std::int64_t> parts;
  for (const auto& presence : presences_of(view, room)) {
    parts[view.ledger().name_of(presence.gateway)] = presence.participants;
  }
  const domain::Ledger::Room* entry = view.ledger().find(room);
  if (!entry) return parts;
  for (const auto& vote : entry->votes) {
    std::int64_t& users = parts[view.ledger().name_of(vote.gateway)];
    users = std::max<std::int64_t>(users, vote.sessions);
  }
  return parts;
}

}  // namespace app
