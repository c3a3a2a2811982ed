#include "app/fail_over.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/event_log.h"

namespace app {
namespace {

using domain::Departure;
using domain::GatewayNumber;

// So many rooms are looked at in one turn, and so many moved.
constexpr std::size_t slice = 1000;
constexpr std::size_t moved_at_once = 64;

bool anything_to_move(Desk::Turn& turn) {
  const auto situation = turn.situation();
  const auto rooms = situation.ledger.rooms_by_gateway();
  for (GatewayNumber gateway = 0; gateway < rooms.size(); ++gateway) {
    if (rooms[gateway] > 0 && situation.departure_from(gateway) != Departure::none) return true;
  }
  return false;
}

struct Pass {
  std::string after;  // the rooms up to this one have been looked at
  bool more = true;
  bool failed = false;                         // storage refuses, or the mode has changed: the next pass tries again
  bool unfinished = false;                     // somebody who asks is about to move a room
  std::map<GatewayNumber, std::int64_t> left;  // rooms that stay: pinned there, or with nowhere to go
};

std::vector<std::shared_ptr<Claim>> move_slice(Desk::Turn& turn, Pass& pass) {
  if (!turn.options().scale || turn.ledger().is_any_as_legacy_left()) {
    pass.failed = true;
    return {};
  }
  const auto situation = turn.situation();
  std::vector<std::string> leaving;
  auto room = situation.ledger.rooms().upper_bound(pass.after);
  for (std::size_t looked = 0;
       room != situation.ledger.rooms().end() && looked < slice && leaving.size() < moved_at_once; ++room, ++looked) {
    pass.after = room->first;
    const auto& held = room->second.held;
    if (held && !room->second.pending && situation.departure_from(held->gateway) != Departure::none) {
      leaving.push_back(room->first);
    }
    const auto* granted = room->second.granted();
    if (room->second.pending && granted && situation.departure_from(granted->gateway) != Departure::none) {
      pass.unfinished = true;
    }
  }
  pass.more = room != situation.ledger.rooms().end();
  std::vector<std::shared_ptr<Claim>> claims;
  for (const std::string& name : leaving) {
    const domain::Question question{name, "", domain::Question::Asker::mover};
    const domain::Decision decision = decide(situation, question);
    if (decision.kind == domain::Decision::Kind::booking) {
      claims.push_back(turn.book(question, decision, AssignedBy::failover));
    } else {
      ++pass.left[situation.ledger.find(name)->held->gateway];
    }
  }
  return claims;
}

struct Finished {
  std::string gateway, target;
  std::int64_t moved, left;
};

// What is to be told of a gateway once all rooms have left it that can.
Finished finished(const domain::Ledger& ledger, GatewayNumber gateway, std::int64_t left) {
  const auto& state = ledger.leaving().at(gateway);
  Finished result{ledger.name_of(gateway), "", state.moved, left};
  for (const GatewayNumber by : state.taken_by) {
    result.target += (result.target.empty() ? "" : ",") + ledger.name_of(by);
  }
  return result;
}

void close_pass(Desk& desk, const Pass& pass) {
  std::vector<Finished> to_tell;
  {
    Desk::Turn turn(desk);
    if (!turn.options().scale) return;
    const auto situation = turn.situation();
    domain::Ledger& ledger = turn.ledger();
    for (const auto& [gateway, left] : pass.left) {
      if (!ledger.leaving().count(gateway)) ledger.begin_leaving(gateway, std::nullopt);
    }
    std::vector<GatewayNumber> well;
    for (const auto& [gateway, state] : ledger.leaving()) {
      const auto left = pass.left.find(gateway);
      const std::int64_t stay = left == pass.left.end() ? 0 : left->second;
      if (!state.told && state.moved + stay > 0) {
        to_tell.push_back(finished(ledger, gateway, stay));
        ledger.tell_left(gateway);
      }
      // While its health is not known, as after a restart, it may go on.
      const bool is_known = !turn.health().watches() || turn.health().state(gateway) == domain::GatewayState::up;
      if (is_known && situation.departure_from(gateway) == Departure::none) well.push_back(gateway);
    }
    for (const GatewayNumber gateway : well) ledger.end_leaving(gateway);
  }
  for (const Finished& done : to_tell) {
    if (done.moved > 0) {
      log_info("Failover completed", {{"failed_server", done.gateway}, {"target", done.target}, {"count", done.moved}});
    }
    if (done.left > 0) {
      log_warn("Rooms stay on a gateway that is to be left: they are pinned to it, or no other takes them",
               {{"gateway_name", done.gateway}, {"rooms", done.left}});
    }
  }
}

}  // namespace

void fail_over(Desk& desk, const std::function<bool()>& is_stopping) {
  Pass pass;
  {
    Desk::Turn turn(desk);
    if (!turn.options().scale) return;
    pass.more = anything_to_move(turn);
    if (!pass.more && turn.ledger().leaving().empty()) return;
  }
  for (; pass.more && !pass.failed; desk.let_others_pass()) {
    // The next one goes on where this one ends.
    if (is_stopping && is_stopping()) return;
    std::vector<std::shared_ptr<Claim>> claims;
    {
      Desk::Turn turn(desk);
      claims = move_slice(turn, pass);
    }
    const auto deadline = desk.deadline();
    for (const auto& claim : claims) {
      pass.failed = pass.failed || is_refused(claim->wait_until(deadline));
    }
  }
  if (!pass.failed && !pass.unfinished) close_pass(desk, pass);
}

}  // namespace app
