#include "app/fail_over.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/book_room.h"
#include "logging/log.h"

namespace app {
namespace {

using domain::EvacuationCause;
using domain::GatewayId;

// So many rooms are looked at in one transaction, and so many moved.
constexpr std::size_t slice = 1000;
constexpr std::size_t moved_at_once = 64;

bool anything_to_move(const Registry::View& view) {
  const auto input = view.input();
  const auto rooms = input.ledger.rooms_by_gateway();
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    if (rooms[i] > 0 && input.evacuation_cause_of(GatewayId(i)) != EvacuationCause::none) return true;
  }
  return false;
}

struct Pass {
  domain::RoomId after;  // the rooms up to this one have been looked at
  bool more = true;
  bool failed = false;                     // storage refuses, or the mode has changed: the next pass tries again
  bool unfinished = false;                 // a request is about to move a room
  std::map<GatewayId, std::int64_t> left;  // rooms that stay: pinned there, or with nowhere to go
};

std::vector<std::shared_ptr<Claim>> move_slice(Registry::Transaction& transaction, Pass& pass) {
  if (!transaction.options().scale || transaction.ledger().is_any_as_legacy_left()) {
    pass.failed = true;
    return {};
  }
  const auto input = transaction.input();
  std::vector<domain::RoomId> to_move;
  auto room = input.ledger.rooms().upper_bound(pass.after);
  for (std::size_t looked = 0; room != input.ledger.rooms().end() && looked < slice && to_move.size() < moved_at_once;
       ++room, ++looked) {
    pass.after = room->first;
    const auto& held = room->second.held;
    if (held && !room->second.pending && input.evacuation_cause_of(held->gateway) != EvacuationCause::none) {
      to_move.push_back(room->first);
    }
    const auto* granted = room->second.granted();
    if (room->second.pending && granted && input.evacuation_cause_of(granted->gateway) != EvacuationCause::none) {
      pass.unfinished = true;
    }
  }
  pass.more = room != input.ledger.rooms().end();
  std::vector<std::shared_ptr<Claim>> claims;
  for (const domain::RoomId& name : to_move) {
    const domain::Question question{name, "", domain::Question::Asker::mover};
    const domain::Decision decision = decide(input, question);
    if (decision.kind == domain::Decision::Kind::booking) {
      claims.push_back(book_room(transaction, question, decision, AssignedBy::failover));
    } else {
      ++pass.left[input.ledger.find(name)->held->gateway];
    }
  }
  return claims;
}

struct Finished {
  std::string gateway, target;
  std::int64_t moved, left;
};

// What is logged about a gateway once all rooms that can have left it.
Finished finished(const domain::Ledger& ledger, GatewayId gateway, std::int64_t left) {
  const domain::Evacuation& state = *ledger.evacuations().find(gateway);
  Finished result{ledger.name_of(gateway), "", state.moved, left};
  for (const GatewayId by : state.taken_by) {
    result.target += (result.target.empty() ? "" : ",") + ledger.name_of(by);
  }
  return result;
}

void close_pass(Registry& registry, const Pass& pass) {
  std::vector<Finished> finished_ones;
  {
    Registry::Transaction transaction(registry);
    if (!transaction.options().scale) return;
    const auto input = transaction.input();
    domain::Ledger& ledger = transaction.ledger();
    for (const auto& [gateway, left] : pass.left) {
      if (!ledger.evacuations().find(gateway)) ledger.begin_evacuation(gateway, std::nullopt);
    }
    std::vector<GatewayId> well;
    for (const auto& [gateway, state] : ledger.evacuations().all()) {
      const auto left = pass.left.find(gateway);
      const std::int64_t stay = left == pass.left.end() ? 0 : left->second;
      if (!state.is_complete_logged && state.moved + stay > 0) {
        finished_ones.push_back(finished(ledger, gateway, stay));
        ledger.mark_evacuation_complete(gateway);
      }
      // While its health is not known, as after a restart, it may go on.
      const bool is_known =
          !transaction.health().watches() || transaction.health().state(gateway) == domain::GatewayState::up;
      if (is_known && input.evacuation_cause_of(gateway) == EvacuationCause::none) well.push_back(gateway);
    }
    for (const GatewayId gateway : well) ledger.end_evacuation(gateway);
  }
  for (const Finished& done : finished_ones) {
    if (done.moved > 0) {
      logging::info("Failover completed",
                    {{"failed_server", done.gateway}, {"target", done.target}, {"count", done.moved}});
    }
    if (done.left > 0) {
      logging::warn("Rooms stay on a gateway that is down or draining: they are pinned to it, or no other takes them",
                    {{"gateway_name", done.gateway}, {"rooms", done.left}});
    }
  }
}

}  // namespace

void fail_over(Registry& registry, const std::function<bool()>& is_stopping) {
  Pass pass;
  {
    const Registry::View view(registry);
    if (!view.options().scale) return;
    pass.more = anything_to_move(view);
    if (!pass.more && view.ledger().evacuations().all().empty()) return;
  }
  for (; pass.more && !pass.failed; registry.pause_between_slices()) {
    // The next one goes on where this one ends.
    if (is_stopping && is_stopping()) return;
    std::vector<std::shared_ptr<Claim>> claims;
    {
      Registry::Transaction transaction(registry);
      claims = move_slice(transaction, pass);
    }
    const auto deadline = registry.deadline();
    for (const auto& claim : claims) {
      pass.failed = pass.failed || is_refused(claim->wait_until(deadline));
    }
  }
  if (!pass.failed && !pass.unfinished) close_pass(registry, pass);
}

}  // namespace app
