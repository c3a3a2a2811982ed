// What is to be answered for a room: the one function behind POST /v2/room_server, behind the first
// report of a session, and behind explain. Pure: it changes nothing. The caller holds the ledger's lock.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/gateway_health.h"
#include "domain/ledger.h"
#include "domain/policy.h"
#include "domain/room_id.h"

namespace domain {

// Why rooms have to leave a gateway.
enum class EvacuationCause { none, offline, emptied };

struct Decision {
  enum class Kind {
    refused,   // `refusal` says why
    pending,   // somebody else's claim is under way: wait for it, then decide again
    standing,  // `gateway` holds the room, nothing is to be written
    booking,   // `gateway` is to be booked for the room
  };
  Kind kind = Kind::refused;
  Refusal refusal = Refusal::room_not_found;
  std::optional<GatewayId> gateway;
  Reason reason = Reason::sticky;  // of a refusal: `pinned` if the pin can take no room
  bool regional_match = false;
  std::string region;  // of the row to be written: the country code as logged, or "pinned"
  // A booking that moves the room: which gateway it leaves, why, and which standby takes all of its rooms.
  std::optional<GatewayId> leaves;
  EvacuationCause evacuation_cause = EvacuationCause::none;
  std::optional<GatewayId> standby;
  // What it was chosen by: a pin, a default, a standby or what stands; the loads of `region`'s steps; or the
  // users, who are there already.
  enum class Ground { rule, load, users };
  Ground ground = Ground::rule;
  Placement::Choice choice{};  // by loads

  bool is_pinned() const { return reason == Reason::pinned; }
};

// `country`: as the client sent it. Trimmed and upper-cased here; "" for none or over 16 bytes.
std::string country_as_logged(std::string_view country);

struct Question {
  // A user asks for an answer; a session is there already, and an assignment never yields to it.
  // `mover` needs no answer: it moves rooms off a gateway that is being evacuated.
  enum class Asker { user, session, mover };

  const RoomId& room;
  std::string_view country = {};  // as logged
  Asker asker = Asker::user;
  std::optional<std::string_view> reported = std::nullopt;  // where the session says it is
};

// How far what is known of other sidecars' rooms can be relied on. One that is alone knows all.
struct StoreView {
  Placement::Selection selection = Placement::Selection::least_loaded;
  bool may_claim = true;     // false: it cannot be known now which gateway holds a room
  bool is_outdated = false;  // what others did since is not known; their rooms may have gone elsewhere
};

// What a decision is made from.
struct DecisionInput {
  const Policy& policy;
  const Ledger& ledger;
  const GatewayHealth& health;
  ServiceTime now;
  StoreView store_view = {};
  std::uint64_t chance = 0;  // any number, another one each time; alone it is of no account

  GatewayId id_of(const Gateway& gateway) const { return ledger.gateways().require(gateway.name); }
  // Nothing if the policy does not know it any more.
  const Gateway* find_gateway(GatewayId gateway) const { return policy.catalogue().gateway(ledger.name_of(gateway)); }
  EvacuationCause evacuation_cause_of(GatewayId gateway) const;
  GatewayState state_of(const Gateway& gateway) const { return health.state(id_of(gateway)); }
  bool is_surely_down(const Gateway& gateway) const { return health.is_surely_down(id_of(gateway)); }
  Placement::Loads loads() const {
    return {ledger.rooms_by_gateway(), ledger.excess_users_by_gateway(), health.fitness(), store_view.selection,
            chance};
  }
};

// With `verdicts`, reports what became of each gateway that was considered.
Decision decide(const DecisionInput& input, const Question& question, std::vector<Verdict>* verdicts = nullptr);

// The verdict on a gateway that was chosen without a comparison of loads.
Verdict chosen(const DecisionInput& input, GatewayId gateway);
// The verdict on a pin's gateway that can take no room: disabled, removed or of another type.
Verdict barred(const DecisionInput& input, GatewayId gateway);

// Where the users of an occupied room are that has no assignment, or an outdated one: where their sessions
// say (`reported`), else where legacy mode sent them. Nothing if that gateway cannot be used.
const Gateway* where_users_are(const Policy& policy, const Ledger& ledger, const RoomId& room,
                               std::optional<GatewayId> reported);

// The gateway that holds the room without placing it: assignment or pin in scale mode, pin or default
// in legacy mode; nothing otherwise.
std::optional<std::string> standing_gateway(const Policy& policy, const Ledger& ledger, const RoomId& room);

}  // namespace domain
