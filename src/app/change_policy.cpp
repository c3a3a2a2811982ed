#include "app/change_policy.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "app/book_room.h"
#include "app/end_assignment.h"
#include "app/for_each_room.h"
#include "app/report_session.h"
#include "logging/log.h"

namespace app {
namespace {

// So many rooms are looked at in one transaction.
constexpr std::size_t slice = 1000;

constexpr std::size_t booked_per_slice = 64;

// Gives ledger and health what they need of the policy. True: the ledger is to count users anew.
bool follow_policy(Registry::Transaction& transaction) {
  const domain::Options& options = transaction.options();
  std::vector<domain::GatewayId> watched;
  for (const domain::Gateway& gateway : transaction.policy().catalogue().gateways()) {
    if (gateway.has_rooms()) watched.push_back(transaction.ledger().number_of(gateway.name));
  }
  transaction.health().watch(options.health, watched);
  return transaction.ledger().count_excess_users(
      options.load_by == domain::LoadBy::sessions ? std::optional(options.avg_room_occupancy) : std::nullopt);
}

// Has the room assigned where its users are; nothing if it is there already, or nobody is in it.
std::shared_ptr<Claim> book_where_users_are(Registry::Transaction& transaction, const domain::RoomId& name) {
  domain::Ledger& ledger = transaction.ledger();
  // Legacy mode does not note whom it answered: somebody may be on the way to any room.
  ledger.keep(name, transaction.now().service);
  const domain::Ledger::Room* room = ledger.find(name);
  if (!room || !room->has_users() || !transaction.policy().admits(name)) return nullptr;
  if (room->pending) return transaction.claims_in_flight().require(name);
  const domain::Gateway* gateway = where_users_are(transaction.policy(), ledger, name, ledger.reported_gateway(name));
  if (!gateway) return nullptr;
  const domain::GatewayId there = ledger.gateways().require(gateway->name);
  if (room->held && room->held->gateway == there) return nullptr;
  domain::Decision decision;
  decision.kind = domain::Decision::Kind::booking;
  decision.gateway = there;
  const std::string* pin = transaction.policy().pin(name);
  const bool is_pinned = pin && *pin == gateway->name;
  if (is_pinned) decision.region = "pinned";
  decision.reason = is_pinned ? domain::Reason::pinned : domain::Reason::assigned;
  decision.ground = domain::Decision::Ground::users;
  auto claim = book_room(transaction, domain::Question{name}, decision, AssignedBy::mode_change);
  // Whatever becomes of the claim, nobody is where an older row says.
  ledger.forget_replaced(name);
  return claim;
}

std::vector<std::shared_ptr<Claim>> begin_scale(Registry& registry) {
  std::vector<std::shared_ptr<Claim>> claims;
  domain::RoomId last;
  for (bool more = true; more; registry.pause_between_slices()) {
    Registry::Transaction transaction(registry);
    const auto& rooms = transaction.ledger().rooms();
    std::vector<domain::RoomId> names;
    auto room = rooms.upper_bound(last);
    for (; room != rooms.end() && names.size() < booked_per_slice; ++room) names.push_back(room->first);
    more = room != rooms.end();
    for (const domain::RoomId& name : names) {
      if (auto claim = book_where_users_are(transaction, name)) claims.push_back(std::move(claim));
    }
    if (!names.empty()) last = names.back();
    transaction.ledger().set_as_legacy_left(more ? std::optional(last) : std::nullopt);
  }
  return claims;
}

// Uses that are not yet in the file: legacy mode will not write them.
void enqueue_last_uses(Registry& registry) {
  std::vector<domain::RoomId> touched = Registry::Transaction(registry).ledger().take_touched();
  for (std::size_t at = 0; at < touched.size(); registry.pause_between_slices()) {
    Registry::Transaction transaction(registry);
    for (const std::size_t end = std::min(touched.size(), at + booked_per_slice); at < end; ++at) {
      if (transaction.ledger().take_last_used(touched[at])) transaction.ledger().note(touched[at]);
    }
  }
}

// Logs how many rooms have users elsewhere than where legacy mode sends the next ones.
void begin_legacy(Registry& registry) {
  enqueue_last_uses(registry);
  std::int64_t elsewhere = 0;
  for_each_room<const Registry::View>(registry, slice, [&](const Registry::View& view, const auto& room) {
    if (!room.second.has_users() || !room.second.held) return;
    const auto gateway = standing_gateway(view.policy(), view.ledger(), room.first);
    if (gateway != view.ledger().name_of(room.second.held->gateway)) ++elsewhere;
  });
  logging::warn("Legacy mode begins; rooms that are in use elsewhere are answered with their default gateway",
                {{"live_rooms", elsewhere}});
}

void recount_excess_users(Registry& registry) {
  domain::RoomId after;
  while (Registry::Transaction(registry).ledger().recount_excess_users(after, slice)) registry.pause_between_slices();
}

// In legacy mode nothing is decided when a room is asked for; what an answer came from is a change of the
// configuration, or of the file. If very many rooms change, the first are recorded.
void note_new_defaults(Registry& registry, const domain::Policy& before, const domain::Policy& after,
                       domain::WallTime now) {
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
    record.request_id = logging::request_id();
    registry.decision_log().add(std::move(record));
    if (++noted == most) return;
  }
}

// Between two slices nothing is wrong: such rooms are refused already.
void end_rooms_not_admitted(Registry& registry) {
  std::vector<domain::RoomId> with_sessions;
  for_each_room(registry, slice, [&](Registry::Transaction& transaction, const auto& room) {
    if (transaction.policy().admits(room.first)) return;
    if (room.second.sessions > 0) with_sessions.push_back(room.first);
    // In legacy mode the table is ignored, and stays.
    if (transaction.options().scale) end_assignment(transaction, room.first, RemovedBy::not_admitted);
  });
  forget_sessions(registry, with_sessions);
}

}  // namespace

std::vector<std::shared_ptr<Claim>> change_policy(Registry& registry, const domain::Options& options,
                                                  std::shared_ptr<const domain::Catalogue> catalogue) {
  const std::shared_ptr<const domain::Policy> before = registry.policy();  // its end, outside the lock
  const bool begins_scale = before && !before->options().scale && options.scale;
  const bool begins_legacy = before && before->options().scale && !options.scale;
  domain::WallTime now;
  bool is_to_recount = false;
  if (begins_legacy) enqueue_last_uses(registry);  // as many as can be while it lasts
  {
    Registry::Transaction transaction(registry);
    now = transaction.now().wall;
    transaction.replace_policy(
        std::make_shared<domain::Policy>(options, std::move(catalogue), transaction.ledger().gateways()));
    is_to_recount = follow_policy(transaction);
    if (begins_scale) transaction.ledger().set_as_legacy_left("");
  }
  std::vector<std::shared_ptr<Claim>> claims;
  if (begins_scale) claims = begin_scale(registry);
  if (begins_legacy) begin_legacy(registry);
  if (is_to_recount) recount_excess_users(registry);
  const auto after = registry.policy();
  if (before && !before->options().scale && !after->options().scale) {
    note_new_defaults(registry, *before, *after, now);
  }
  end_rooms_not_admitted(registry);
  return claims;
}

void catch_up_with_scale(Registry::Transaction& transaction, const domain::RoomId& room) {
  if (transaction.ledger().is_as_legacy_left(room)) book_where_users_are(transaction, room);
}

}  // namespace app
