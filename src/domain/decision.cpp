#include "domain/decision.h"

#include <algorithm>

namespace domain {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\f\v";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

Decision refused(Refusal refusal) {
  Decision decision;
  decision.refusal = refusal;
  return decision;
}

Decision legacy(const DecisionInput& input, const RoomId& room) {
  const Policy& policy = input.policy;
  const Room* known = policy.catalogue().room(room);
  if (!known || !known->is_open()) return refused(Refusal::room_not_found);
  const Gateway* gateway = policy.legacy_gateway(*known);
  Decision decision = gateway ? Decision{} : refused(Refusal::default_gateway_unusable);
  decision.reason = policy.pin(room) ? Reason::pinned : Reason::default_gateway;
  if (!gateway) return decision;
  decision.kind = Decision::Kind::standing;
  decision.gateway = input.id_of(*gateway);
  return decision;
}

// Users who already are on a gateway may stay there though it be full, draining or unlisted.
const Gateway* usable(const Policy& policy, std::string_view name) {
  const Gateway* gateway = policy.catalogue().gateway(name);
  return gateway && !gateway->disabled && !gateway->removed ? gateway : nullptr;
}

// Where users are already, and the room is to be placed with them.
const Gateway* found_there(const DecisionInput& input, const Question& question, const Ledger::Room* room) {
  const auto& [policy, ledger, health, now, store_view, chance] = input;
  const auto not_down = [&](const Gateway* gateway) { return gateway && !input.is_surely_down(*gateway); };
  if (room && room->has_users()) {
    const auto reported = ledger.reported_gateway(question.room);
    const Gateway* gateway = where_users_are(policy, ledger, question.room, reported);
    if (not_down(gateway)) return gateway;
  }
  const Gateway* gateway = question.reported ? usable(policy, *question.reported) : nullptr;
  return not_down(gateway) ? gateway : nullptr;
}

bool takes_rooms(const Gateway* gateway) { return gateway && gateway->serves_rooms() && !gateway->draining; }

// As a standby that takes rooms with live users it must be known to live, where that is asked for at all.
bool is_ready(const DecisionInput& input, const Gateway* gateway) {
  return takes_rooms(gateway) && (!input.health.watches() || input.state_of(*gateway) == GatewayState::up);
}

// One that has begun to take rooms goes on at a doubt: or they would be scattered over two places.
bool may_go_on(const DecisionInput& input, const Gateway* gateway) {
  return takes_rooms(gateway) && input.state_of(*gateway) != GatewayState::down;
}

// The standby that takes all rooms of a gateway: the one that has begun to, else the first that is well and
// empty and takes nobody else's.
std::optional<GatewayId> standby_for(const DecisionInput& input, GatewayId evacuated) {
  const auto& [policy, ledger, health, now, store_view, chance] = input;
  std::set<GatewayId> taken{evacuated};
  for (const auto& [gateway, state] : ledger.evacuations().all()) {
    if (!state.standby) continue;
    if (gateway == evacuated && may_go_on(input, input.find_gateway(*state.standby))) return state.standby;
    taken.insert(*state.standby);
  }
  for (const std::string& name : policy.options().standby_servers) {
    const GatewayId standby = ledger.gateways().require(name);
    const bool free = ledger.rooms_on(standby) == 0 && !taken.count(standby);
    if (free && is_ready(input, policy.catalogue().gateway(name))) return standby;
  }
  return std::nullopt;
}

// Where a room goes whose gateway is to be left; nothing if there is nowhere to go.
std::optional<Decision> move(const DecisionInput& input, const Held& held, std::optional<GatewayId> pin,
                             std::vector<Verdict>* verdicts) {
  const auto& [policy, ledger, health, now, store_view, chance] = input;
  Decision decision;
  decision.evacuation_cause = input.evacuation_cause_of(held.gateway);
  decision.leaves = held.gateway;
  if (decision.evacuation_cause == EvacuationCause::none) return std::nullopt;
  decision.kind = Decision::Kind::booking;
  decision.reason = Reason::reassigned;
  decision.region = held.region == "pinned" ? "" : held.region;
  if (pin) {
    decision.gateway = pin;
    decision.region = "pinned";
  } else if (const auto standby = standby_for(input, held.gateway)) {
    decision.gateway = standby;
    decision.standby = standby;
  } else {
    // Users who have to join anew must not be sent to a gateway that does not answer, brake or not.
    Placement::Loads loads = input.loads();
    loads.worst = Fitness::suspect;
    const auto choice = policy.placement().choose(decision.region, loads, verdicts);
    if (!choice.gateway || *choice.gateway == held.gateway) return std::nullopt;
    decision.gateway = choice.gateway;
    decision.ground = Decision::Ground::load;
    decision.choice = choice;
  }
  return decision;
}

Decision standing(const Ledger::Room& room, bool pinned) {
  Decision decision;
  decision.kind = Decision::Kind::standing;
  decision.gateway = room.held->gateway;
  decision.reason = pinned ? Reason::pinned : room.moved ? Reason::reassigned : Reason::sticky;
  return decision;
}

// A tombstone returns the room to its gateway: another sidecar may still answer with that one.
std::optional<GatewayId> tombstone_of(const DecisionInput& input, const RoomId& room) {
  const auto id = input.ledger.tombstone_gateway(room);
  if (!id) return std::nullopt;
  const Gateway* gateway = input.find_gateway(*id);
  // Also one that drains by now, or is not listed any more: it is the same meeting still.
  const bool may_return = gateway && gateway->serves_rooms() && !input.is_surely_down(*gateway) &&
                          input.evacuation_cause_of(*id) == EvacuationCause::none;
  return may_return ? id : std::nullopt;
}

// For a room that no gateway holds, or that may leave the one that does.
Decision place(const DecisionInput& input, const Question& question, std::optional<GatewayId> pin, bool pin_serves,
               const Ledger::Room* room, std::vector<Verdict>* verdicts) {
  Decision decision;
  decision.kind = Decision::Kind::booking;
  decision.region = question.country;
  if (pin) {
    if (!pin_serves) {
      if (verdicts) verdicts->push_back(barred(input, *pin));
      decision = refused(Refusal::no_gateway_available);
      decision.reason = Reason::pinned;
      return decision;
    }
    decision.gateway = pin;
    decision.reason = Reason::pinned;
    decision.region = "pinned";
  } else if (const auto back = tombstone_of(input, question.room)) {
    decision.gateway = back;
    decision.reason = Reason::assigned;
  } else if (const Gateway* there = found_there(input, question, room)) {
    decision.gateway = input.id_of(*there);
    decision.reason = Reason::assigned;
    decision.ground = Decision::Ground::users;
  } else {
    decision.ground = Decision::Ground::load;
    const auto choice = input.policy.placement().choose(question.country, input.loads(), verdicts);
    decision.choice = choice;
    if (!choice.gateway) {
      decision.kind = Decision::Kind::refused;
      decision.refusal = choice.refusal;
      return decision;
    }
    decision.gateway = choice.gateway;
    decision.reason = choice.reason;
  }
  return decision;
}

Decision scale(const DecisionInput& input, const Question& question, std::vector<Verdict>* verdicts) {
  const auto& [policy, ledger, health, now, store_view, chance] = input;
  if (!policy.admits(question.room)) return refused(Refusal::room_not_found);
  const Ledger::Room* room = ledger.find(question.room);
  if (room && room->pending) {
    Decision decision;
    decision.kind = Decision::Kind::pending;
    decision.gateway = room->held->gateway;
    return decision;
  }
  const bool is_held = room && room->held;
  if (is_held && store_view.is_outdated && !room->has_users()) return refused(Refusal::storage_unavailable);
  if (!is_held && !store_view.may_claim) return refused(Refusal::storage_unavailable);
  std::optional<GatewayId> pin;
  if (const std::string* name = policy.pin(question.room)) pin = ledger.gateways().require(*name);
  if (pin && policy.options().move_pinned && input.evacuation_cause_of(*pin) == EvacuationCause::offline) pin.reset();
  const Gateway* pinned = pin ? input.find_gateway(*pin) : nullptr;
  const bool pin_serves = pinned && pinned->serves_rooms();
  if (!is_held) return place(input, question, pin, pin_serves, room, verdicts);

  const bool on_pin = pin == room->held->gateway;
  if (question.asker != Question::Asker::session && !on_pin && store_view.may_claim) {
    const bool pin_lives = pin_serves && input.state_of(*pinned) != GatewayState::down;
    auto moved = move(input, *room->held, pin_lives ? pin : std::nullopt, verdicts);
    if (moved) return *moved;
    if (verdicts) verdicts->clear();
  }
  // A new pin waits until the room is empty.
  const bool to_pin = pin_serves && !on_pin && store_view.may_claim && !ledger.is_occupied(question.room, now) &&
                      !ledger.is_used_elsewhere(question.room, now);
  if (to_pin && question.asker == Question::Asker::user) {
    return place(input, question, pin, pin_serves, room, verdicts);
  }
  return standing(*room, on_pin && pin_serves);
}

}  // namespace

Verdict barred(const DecisionInput& input, GatewayId id) {
  const Policy& policy = input.policy;
  const Gateway* gateway = input.find_gateway(id);
  const std::int64_t capacity =
      gateway ? capacity_of(*gateway, policy.options()) : policy.options().max_server_capacity;
  return {input.ledger.name_of(id), policy.placement().load_of(id, input.loads()), capacity, "disabled"};
}

// An operator who asks why sees that users are sent to a gateway that does not answer.
Verdict chosen(const DecisionInput& input, GatewayId id) {
  Verdict verdict = barred(input, id);
  verdict.verdict = input.health.state(id) == GatewayState::down ? "down" : "chosen";
  return verdict;
}

std::string country_as_logged(std::string_view country) {
  std::string code(trimmed(country));
  if (code.size() > 16) return "";
  std::transform(code.begin(), code.end(), code.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return code;
}

EvacuationCause DecisionInput::evacuation_cause_of(GatewayId gateway) const {
  if (health.is_lost(gateway, policy.options().failover_wait, now)) return EvacuationCause::offline;
  return policy.is_emptied(gateway) ? EvacuationCause::emptied : EvacuationCause::none;
}

Decision decide(const DecisionInput& input, const Question& question, std::vector<Verdict>* verdicts) {
  const Policy& policy = input.policy;
  if (!policy.options().scale) {
    Decision decision = legacy(input, question.room);
    if (verdicts && decision.gateway) verdicts->push_back(chosen(input, *decision.gateway));
    if (verdicts && !decision.gateway && decision.is_pinned()) {
      verdicts->push_back(barred(input, input.ledger.gateways().require(*policy.pin(question.room))));
    }
    return decision;
  }
  Decision decision = scale(input, question, verdicts);
  if (!decision.gateway) return decision;
  if (verdicts && verdicts->empty()) verdicts->push_back(chosen(input, *decision.gateway));
  decision.regional_match = policy.placement().region_serves(question.country, *decision.gateway);
  return decision;
}

const Gateway* where_users_are(const Policy& policy, const Ledger& ledger, const RoomId& room,
                               std::optional<GatewayId> reported) {
  if (reported) {
    if (const Gateway* gateway = usable(policy, ledger.name_of(*reported))) return gateway;
  }
  const Room* known = policy.catalogue().room(room);
  return known ? policy.legacy_gateway(*known) : nullptr;
}

std::optional<std::string> standing_gateway(const Policy& policy, const Ledger& ledger, const RoomId& room) {
  if (!policy.options().scale) {
    const Room* known = policy.catalogue().room(room);
    const Gateway* gateway = known && known->is_open() ? policy.legacy_gateway(*known) : nullptr;
    return gateway ? std::optional(gateway->name) : std::nullopt;
  }
  const Ledger::Room* entry = ledger.find(room);
  if (const auto* granted = entry ? entry->granted() : nullptr) return ledger.name_of(granted->gateway);
  const std::string* pin = policy.pin(room);
  return pin ? std::optional(*pin) : std::nullopt;
}

}  // namespace domain
