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

Verdict chosen(const Policy& policy, Ledger& ledger, const std::string& name) {
  const Gateway* gateway = policy.catalogue().gateway(name);
  const std::int64_t rooms = ledger.rooms_by_gateway()[ledger.number_of(name)];
  const Options& options = policy.options();
  const std::int64_t capacity = gateway && gateway->capacity ? *gateway->capacity : options.max_server_capacity;
  return {name, rooms * options.avg_room_occupancy, capacity, "chosen"};
}

Decision refused(Refusal refusal) {
  Decision decision;
  decision.refusal = refusal;
  return decision;
}

Decision legacy(const Policy& policy, std::string_view room) {
  const Room* known = policy.catalogue().room(room);
  if (!known || !known->is_open()) return refused(Refusal::room_not_found);
  const Gateway* gateway = policy.legacy_gateway(*known);
  if (!gateway) return refused(Refusal::default_gateway_unusable);
  Decision decision;
  decision.kind = Decision::Kind::standing;
  decision.gateway = gateway->name;
  decision.reason = policy.pin(room) ? Reason::pinned : Reason::default_gateway;
  return decision;
}

// Users who already are on a gateway may stay there though it be full, draining or unlisted.
const Gateway* usable(const Policy& policy, std::string_view name) {
  const Gateway* gateway = policy.catalogue().gateway(name);
  return gateway && !gateway->disabled && !gateway->removed ? gateway : nullptr;
}

// Where users are already, and the room is to be placed with them.
const Gateway* found_there(const Policy& policy, const Ledger& ledger, const Question& question,
                           const Ledger::Room* room) {
  if (room && room->occupied()) {
    const auto reported = ledger.reported_gateway(question.room);
    if (const Gateway* gateway = where_users_are(policy, ledger, question.room, reported)) return gateway;
  }
  return question.reported ? usable(policy, *question.reported) : nullptr;
}

Decision scale(const Policy& policy, Ledger& ledger, const Question& question,
               std::vector<Verdict>* verdicts) {
  if (!policy.admits(question.room)) return refused(Refusal::room_not_found);
  const Ledger::Room* room = ledger.find(question.room);
  Decision decision;
  if (room && room->pending) {
    decision.kind = Decision::Kind::pending;
    decision.gateway = ledger.name_of(room->held->gateway);
    return decision;
  }
  const std::string* pin = policy.pin(question.room);
  const Gateway* pinned = pin ? policy.catalogue().gateway(*pin) : nullptr;
  const bool pin_serves = pinned && pinned->serves_rooms();
  const bool held = room && room->held;
  const bool on_pin = held && pin && ledger.name_of(room->held->gateway) == *pin;
  // A new pin waits until the room is empty.
  if (held && (on_pin || !pin_serves || room->occupied() ||
               question.asker == Question::Asker::session)) {
    decision.kind = Decision::Kind::standing;
    decision.gateway = ledger.name_of(room->held->gateway);
    decision.reason = on_pin && pin_serves ? Reason::pinned : Reason::sticky;
  } else if (pin) {
    if (!pin_serves) return refused(Refusal::no_gateway_available);
    decision.kind = Decision::Kind::booking;
    decision.gateway = *pin;
    decision.reason = Reason::pinned;
    decision.region = "pinned";
  } else if (const Gateway* there = found_there(policy, ledger, question, room)) {
    decision.kind = Decision::Kind::booking;
    decision.gateway = there->name;
    decision.reason = Reason::assigned;
    decision.region = question.country;
  } else {
    const Placement::Choice choice =
        policy.placement().choose(question.country, ledger.rooms_by_gateway(), verdicts);
    if (!choice.gateway) return refused(choice.refusal);
    decision.kind = Decision::Kind::booking;
    decision.gateway = ledger.name_of(*choice.gateway);
    decision.reason = choice.reason;
    decision.region = question.country;
  }
  decision.regional_match =
      policy.placement().region_serves(question.country, ledger.number_of(decision.gateway));
  return decision;
}

}  // namespace

std::string country_as_logged(std::string_view country) {
  std::string code(trimmed(country));
  if (code.size() > 16) return "";
  std::transform(code.begin(), code.end(), code.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return code;
}

Decision decide(const Policy& policy, Ledger& ledger, const Question& question,
                std::vector<Verdict>* verdicts) {
  Decision decision = policy.options().scale ? scale(policy, ledger, question, verdicts)
                                             : legacy(policy, question.room);
  if (verdicts && verdicts->empty() && !decision.gateway.empty()) {
    verdicts->push_back(chosen(policy, ledger, decision.gateway));
  }
  return decision;
}

const Gateway* where_users_are(const Policy& policy, const Ledger& ledger, std::string_view room,
                               std::optional<GatewayNumber> reported) {
  if (reported) {
    if (const Gateway* gateway = usable(policy, ledger.name_of(*reported))) return gateway;
  }
  const Room* known = policy.catalogue().room(room);
  return known ? policy.legacy_gateway(*known) : nullptr;
}

std::optional<std::string> standing_gateway(const Policy& policy, const Ledger& ledger,
                                            std::string_view room) {
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
