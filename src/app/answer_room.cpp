#include "app/answer_room.h"

#include "app/book_room.h"
#include "app/change_policy.h"
#include "logging/log.h"

namespace app {
namespace {

using domain::Decision;

// The line that operators watch for, at the first refusal and then at most once a second per room.
void log_unusable_gateway(Registry::Transaction& transaction, const domain::Room& room) {
  if (!transaction.log_limits().may_log_room(room.id, transaction.now().service))
    return logging::count_left_out("room without a valid default gateway");
  const logging::Value id =
      room.default_gateway_id ? logging::Value(integer_of(*room.default_gateway_id)) : logging::Value(nullptr);
  logging::error(
      "Gateway not found for room in legacy mode (SCALE=false). "
      "Ensure all rooms have valid default_gateway_id.",
      {{"room_id", integer_of(room.id)}, {"default_gateway_id", id}, {"room_gateway_uid", room.gateway_uid}});
}

Refused refused(const domain::RoomId& room, std::string_view country, Refused refused) {
  // The log has these already, in its own words.
  if (refused.refusal != domain::Refusal::default_gateway_unusable) {
    logging::info("Room refused", {{"room_id", room}, {"country_code", country}, {"error", code_of(refused.refusal)}});
  }
  return refused;
}

std::variant<RoomAnswer, Refused> answer(Registry& registry, const domain::RoomId& room, std::string_view country) {
  const std::string code = domain::country_as_logged(country);
  const domain::Question question{room, code};
  const auto deadline = registry.deadline();
  for (;;) {
    std::shared_ptr<Claim> claim;
    Decision decision;
    std::string gateway;
    Candidates in_the_way;
    {
      Registry::Transaction transaction(registry);
      catch_up_with_scale(transaction, room);
      const domain::DecisionInput input = transaction.input();
      decision = decide(input, question);
      if (decision.gateway) gateway = transaction.ledger().name_of(*decision.gateway);
      if (decision.kind == Decision::Kind::pending) claim = transaction.claims_in_flight().require(room);
      if (decision.kind == Decision::Kind::booking)
        claim = book_room(transaction, question, decision, AssignedBy::answer);
      if (decision.kind == Decision::Kind::standing && transaction.options().scale) {
        transaction.ledger().answered(room, transaction.now());
      }
      if (decision.kind == Decision::Kind::refused) {
        in_the_way = transaction.decision_notes().note_refusal(input, question, decision, transaction.now().wall);
      }
      if (decision.refusal == domain::Refusal::default_gateway_unusable) {
        log_unusable_gateway(transaction, *transaction.policy().catalogue().room(room));
      }
    }
    if (decision.kind == Decision::Kind::refused) {
      return refused(room, code, {decision.refusal, decision.is_pinned(), std::move(in_the_way)});
    }
    if (!claim) {
      logging::debug("Answered room", {{"room_id", room}, {"gateway_name", gateway}});
      return RoomAnswer{std::move(gateway), decision.reason};
    }
    const auto outcome = registry.wait_for(*claim, deadline);
    if (is_over(outcome, deadline)) return refused(room, code, {domain::Refusal::storage_unavailable});
    // Else it was somebody else's: look again.
    if (outcome == ClaimOutcome::won && decision.kind == Decision::Kind::booking) {
      return RoomAnswer{std::move(gateway), decision.reason};
    }
  }
}

}  // namespace

std::variant<RoomAnswer, Refused> answer_room(Registry& registry, const domain::RoomId& room,
                                              std::string_view country) {
  auto result = answer(registry, room, country);
  if (const auto* refused = std::get_if<Refused>(&result)) {
    registry.counts().refusals[refused->refusal].add();
  } else {
    registry.counts().answers[std::get<RoomAnswer>(result).reason].add();
  }
  return result;
}

Explanation explain_room(Registry& registry, const domain::RoomId& room, std::string_view country) {
  const std::string code = domain::country_as_logged(country);
  Explanation explanation;
  Registry::Transaction transaction(registry);  // for what would be answered now, silent sessions have to expire
  explanation.decision = decide(transaction.input(), domain::Question{room, code}, &explanation.candidates);
  if (explanation.decision.gateway) explanation.gateway = transaction.ledger().name_of(*explanation.decision.gateway);
  if (explanation.decision.kind == Decision::Kind::pending) {
    // By the time this is read it will hold the room.
    explanation.decision.kind = Decision::Kind::standing;
  }
  return explanation;
}

}  // namespace app
