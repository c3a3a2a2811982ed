#include "app/answer_room.h"

#include "app/change_policy.h"
#include "app/event_log.h"

namespace app {
namespace {

using domain::Decision;

// The line that operators watch for, at the first refusal and then at most once a second per room.
void tell_of_unusable_gateway(Desk::Turn& turn, const domain::Room& room) {
  if (!turn.may_tell_of(room.id)) return count_left_out("room without a valid default gateway");
  const Value id = room.default_gateway_id ? Value(*room.default_gateway_id) : Value(nullptr);
  log_error(
      "Gateway not found for room in legacy mode (SCALE=false). "
      "Ensure all rooms have valid default_gateway_id.",
      {{"room_id", room.id}, {"default_gateway_id", id}, {"room_gateway_uid", room.gateway_uid}});
}

Refused refused(std::string_view room, std::string_view country, Refused refused) {
  // The log has these already, in its own words.
  if (refused.refusal != domain::Refusal::default_gateway_unusable) {
    log_info("Room refused", {{"room_id", room}, {"country_code", country}, {"error", code_of(refused.refusal)}});
  }
  return refused;
}

std::variant<RoomAnswer, Refused> answer(Desk& desk, std::string_view room, std::string_view country) {
  const std::string code = domain::country_as_logged(country);
  const domain::Question question{room, code};
  const auto deadline = desk.deadline();
  for (;;) {
    std::shared_ptr<Claim> claim;
    Decision decision;
    Candidates in_the_way;
    {
      Desk::Turn turn(desk);
      catch_up_with_scale(turn, room);
      decision = decide(turn.situation(), question);
      if (decision.kind == Decision::Kind::pending) claim = turn.claim_for(room);
      if (decision.kind == Decision::Kind::booking) claim = turn.book(question, decision, AssignedBy::answer);
      if (decision.kind == Decision::Kind::standing && turn.options().scale) {
        turn.ledger().answered(room, turn.now());
      }
      if (decision.kind == Decision::Kind::refused) in_the_way = turn.note_refusal(question, decision);
      if (decision.refusal == domain::Refusal::default_gateway_unusable) {
        tell_of_unusable_gateway(turn, *turn.policy().catalogue().room(room));
      }
    }
    if (decision.kind == Decision::Kind::refused) {
      return refused(room, code, {decision.refusal, decision.is_pinned(), std::move(in_the_way)});
    }
    if (!claim) {
      log_debug("Answered room", {{"room_id", room}, {"gateway_name", decision.gateway}});
      return RoomAnswer{std::move(decision.gateway), decision.reason};
    }
    const auto outcome = desk.wait_for(*claim, deadline);
    if (is_over(outcome, deadline)) return refused(room, code, {domain::Refusal::storage_unavailable});
    // Else it was somebody else's: look again.
    if (outcome == Claim::Outcome::won && decision.kind == Decision::Kind::booking) {
      return RoomAnswer{std::move(decision.gateway), decision.reason};
    }
  }
}

}  // namespace

std::variant<RoomAnswer, Refused> answer_room(Desk& desk, std::string_view room, std::string_view country) {
  auto result = answer(desk, room, country);
  if (const auto* refused = std::get_if<Refused>(&result)) {
    desk.counts().refusals[refused->refusal].add();
  } else {
    desk.counts().answers[std::get<RoomAnswer>(result).reason].add();
  }
  return result;
}

Explanation explain_room(Desk& desk, std::string_view room, std::string_view country) {
  const std::string code = domain::country_as_logged(country);
  Explanation explanation;
  Desk::Turn turn(desk);
  explanation.decision = decide(turn.situation(), domain::Question{room, code}, &explanation.candidates);
  if (explanation.decision.kind == Decision::Kind::pending) {
    // By the time this is read it will hold the room.
    explanation.decision.kind = Decision::Kind::standing;
  }
  return explanation;
}

}  // namespace app
