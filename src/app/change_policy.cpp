#include "app/change_policy.h"

#include <string>
#include <vector>

#include "app/event_log.h"

namespace app {
namespace {

// So many rooms are looked at in one turn.
constexpr std::size_t slice = 1000;

// What ledger and health have to know of the policy.
void follow_policy(Desk::Turn& turn) {
  const domain::Options& options = turn.options();
  std::vector<domain::GatewayNumber> watched;
  for (const domain::Gateway& gateway : turn.policy().catalogue().gateways()) {
    if (gateway.has_rooms()) watched.push_back(turn.ledger().number_of(gateway.name));
  }
  turn.health().watch(options.health, watched);
  turn.ledger().count_crowd(options.load_by == domain::LoadBy::sessions ? std::optional(options.avg_room_occupancy)
                                                                        : std::nullopt);
}

std::vector<std::shared_ptr<Claim>> begin_scale(Desk::Turn& turn) {
  domain::Ledger& ledger = turn.ledger();
  const auto reported = ledger.reported_gateways();
  std::vector<std::pair<std::string, const domain::Gateway*>> to_book;
  for (const auto& [name, room] : ledger.rooms()) {
    // Legacy mode does not note whom it answered: somebody may be on the way to any room.
    ledger.keep(name, turn.now().service);
    if (!room.has_users()) continue;
    if (room.pending || !turn.policy().admits(name)) continue;
    const auto said = reported.find(name);
    const domain::Gateway* gateway = where_users_are(
        turn.policy(), ledger, name, said == reported.end() ? std::nullopt : std::optional(said->second));
    const bool is_there = room.held && gateway && ledger.name_of(room.held->gateway) == gateway->name;
    if (gateway && !is_there) to_book.emplace_back(name, gateway);
  }
  std::vector<std::shared_ptr<Claim>> claims;
  for (const auto& [name, gateway] : to_book) {
    domain::Decision decision;
    decision.kind = domain::Decision::Kind::booking;
    decision.gateway = gateway->name;
    const std::string* pin = turn.policy().pin(name);
    const bool is_pinned = pin && *pin == gateway->name;
    if (is_pinned) decision.region = "pinned";
    decision.reason = is_pinned ? domain::Reason::pinned : domain::Reason::assigned;
    decision.ground = domain::Decision::Ground::users;
    claims.push_back(turn.book(domain::Question{name}, decision, AssignedBy::mode_change));
    // Whatever becomes of the claim, nobody is where an older row says.
    ledger.forget_replaced(name);
  }
  return claims;
}

// Tells how many rooms have users elsewhere than where legacy mode sends the next ones.
void begin_legacy(Desk::Turn& turn) {
  // Uses that are not yet in the file: legacy mode will not write them.
  for (const std::string& room : turn.ledger().take_touched()) {
    if (turn.ledger().take_last_used(room)) turn.ledger().note(room);
  }
  std::int64_t elsewhere = 0;
  for (const auto& [name, room] : turn.ledger().rooms()) {
    if (!room.has_users() || !room.held) continue;
    const auto gateway = standing_gateway(turn.policy(), turn.ledger(), name);
    if (gateway != turn.ledger().name_of(room.held->gateway)) ++elsewhere;
  }
  log_warn("Legacy mode begins; rooms that are in use elsewhere are answered with their default gateway",
           {{"live_rooms", elsewhere}});
}

// In legacy mode nothing is decided when a room is asked for; what an answer came from is a change of the
// configuration, or of the file. Of a change of very many rooms the first are remembered.
void note_new_defaults(Desk& desk, const domain::Policy& before, const domain::Policy& after, domain::WallTime now) {
  constexpr int most = 1000;
  int noted = 0;
  for (const domain::Room& room : after.catalogue().rooms()) {
    const domain::Room* known = before.catalogue().room(room.gateway_uid);
    if (!known || !known->is_open() || !room.is_open()) continue;
    const domain::Gateway* was = before.legacy_gateway(*known);
    const domain::Gateway* is = after.legacy_gateway(room);
    if ((was ? was->name : "") == (is ? is->name : "")) continue;
    DecisionRecord record;
    record.time = now;
    record.room = room.gateway_uid;
    if (was) record.left = was->name;
    if (is) record.gateway = is->name;
    if (!is) record.refusal = domain::Refusal::default_gateway_unusable;
    record.reason = after.pin(room.gateway_uid) ? domain::Reason::pinned : domain::Reason::default_gateway;
    record.asker = DecisionRecord::Asker::configuration;
    record.request_id = request_id();
    desk.decisions().add(std::move(record));
    if (++noted == most) return;
  }
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
    for (const std::string& name : ended) turn.end(name, RemovedBy::not_admitted);
  }
  if (!found) return;
  Desk::Turn turn(desk);
  turn.ledger().forget_sessions([&](const std::string& room) { return !turn.policy().admits(room); });
}

}  // namespace

std::vector<std::shared_ptr<Claim>> change_policy(Desk& desk, const domain::Options& options,
                                                  std::shared_ptr<const domain::Catalogue> catalogue) {
  const std::shared_ptr<const domain::Policy> before = desk.policy();  // its end, outside the lock
  std::vector<std::shared_ptr<Claim>> claims;
  domain::WallTime now;
  {
    Desk::Turn turn(desk);
    now = turn.now().wall;
    turn.replace_policy(std::make_shared<domain::Policy>(
        options, std::move(catalogue), [&](const std::string& gateway) { return turn.ledger().number_of(gateway); }));
    follow_policy(turn);
    if (before && !before->options().scale && options.scale) claims = begin_scale(turn);
    if (before && before->options().scale && !options.scale) begin_legacy(turn);
  }
  const auto after = desk.policy();
  if (before && !before->options().scale && !after->options().scale) {
    note_new_defaults(desk, *before, *after, now);
  }
  end_rooms_not_admitted(desk);
  return claims;
}

}  // namespace app
