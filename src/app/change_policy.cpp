#include "app/change_policy.h"

#include <string>
#include <vector>

#include "app/event_log.h"

namespace app {
namespace {

// So many rooms are looked at in one turn.
constexpr std::size_t slice = 1000;

// Where the users of an occupied room are after a time in legacy mode: where its sessions say, else where
// they were sent.
std::optional<std::string> where_live(Desk::Turn& turn, const std::string& room) {
  const domain::Policy& policy = turn.policy();
  if (const auto number = turn.ledger().reported_gateway(room)) {
    const std::string& name = turn.ledger().name_of(*number);
    const domain::Gateway* gateway = policy.catalogue().gateway(name);
    if (gateway && !gateway->disabled && !gateway->removed) return name;
  }
  const domain::Room* known = policy.catalogue().room(room);
  const domain::Gateway* gateway = known ? policy.legacy_gateway(*known) : nullptr;
  return gateway ? std::optional(gateway->name) : std::nullopt;
}

void begin_scale(Desk::Turn& turn) {
  domain::Ledger& ledger = turn.ledger();
  std::vector<std::string> occupied;
  for (const auto& [name, room] : ledger.rooms()) {
    if (room.occupied()) {
      occupied.push_back(name);
    } else {
      ledger.keep(name, turn.now().service);
    }
  }
  for (const std::string& name : occupied) {
    const domain::Ledger::Room* room = ledger.find(name);
    const std::optional<std::string> gateway = where_live(turn, name);
    if (!gateway || room->pending || !turn.policy().admits(name)) continue;
    if (room->held && ledger.name_of(room->held->gateway) == *gateway) continue;
    domain::Decision decision;
    decision.kind = domain::Decision::Kind::booking;
    decision.gateway = *gateway;
    const std::string* pin = turn.policy().pin(name);
    if (pin && *pin == *gateway) decision.region = "pinned";
    turn.book(domain::Question{name}, decision);
  }
  ledger.note_sessions();
}

// Tells how many rooms have users elsewhere than where legacy mode sends the next ones.
void begin_legacy(Desk::Turn& turn) {
  std::int64_t elsewhere = 0;
  for (const auto& [name, room] : turn.ledger().rooms()) {
    if (!room.occupied() || !room.held) continue;
    const auto gateway = standing_gateway(turn.policy(), turn.ledger(), name);
    if (gateway != turn.ledger().name_of(room.held->gateway)) ++elsewhere;
  }
  log_warn("Legacy mode begins; rooms that are in use elsewhere are answered with their default gateway",
           {{"live_rooms", elsewhere}});
}

// Between two slices nothing is wrong: such rooms are refused already.
void end_rooms_not_admitted(Desk& desk) {
  std::string last;
  bool found = false;
  for (bool more = true; more; desk.let_others_pass()) {
    Desk::Turn turn(desk);
    const auto& rooms = turn.ledger().rooms();
    std::vector<std::string> ended;
    auto room = rooms.upper_bound(last);
    for (std::size_t looked = 0; room != rooms.end() && looked < slice; ++room, ++looked) {
      last = room->first;
      if (!turn.policy().admits(room->first)) ended.push_back(room->first);
    }
    more = room != rooms.end();
    found = found || !ended.empty();
    // In legacy mode the table is ignored, and stays.
    if (!turn.options().scale) continue;
    for (const std::string& name : ended) turn.ledger().end_assignment(name);
  }
  if (!found) return;
  Desk::Turn turn(desk);
  turn.ledger().forget_sessions([&](const std::string& room) { return !turn.policy().admits(room); });
}

}  // namespace

void change_policy(Desk& desk, const domain::Options& options,
                   std::shared_ptr<const domain::Catalogue> catalogue) {
  const std::shared_ptr<const domain::Policy> before = desk.policy();  // its end, outside the lock
  {
    Desk::Turn turn(desk);
    turn.replace_policy(std::make_shared<domain::Policy>(
        options, std::move(catalogue),
        [&](const std::string& gateway) { return turn.ledger().number_of(gateway); }));
    if (before && !before->options().scale && options.scale) begin_scale(turn);
    if (before && before->options().scale && !options.scale) begin_legacy(turn);
  }
  end_rooms_not_admitted(desk);
}

}  // namespace app
