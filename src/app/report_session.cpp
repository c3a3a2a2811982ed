#include "app/report_session.h"

#include "app/event_log.h"

namespace app {
namespace {

using domain::Decision;

// A `janus` that differs is told once a session, also one that is not known: it may be a slip of the pen.
void tell_of_difference(Desk::Turn& turn, const SessionReport& report) {
  const domain::Ledger::Room* room = turn.ledger().find(report.room);
  if (!report.janus || !room->held || turn.ledger().name_of(room->held->gateway) == *report.janus) return;
  if (!turn.ledger().tells_first_difference(report.session)) return;
  log_warn("Session reports another gateway than its room is assigned to",
           {{"room_id", report.room},
            {"session", report.session},
            {"reported", *report.janus},
            {"gateway_name", turn.ledger().name_of(room->held->gateway)}});
}

Refused refused(Desk& desk, const SessionReport& report, Refused refused) {
  desk.counts().session_refusals[refused.refusal].add();
  log_info("Session refused",
           {{"room_id", report.room}, {"session", report.session}, {"error", code_of(refused.refusal)}});
  return refused;
}

}  // namespace

std::size_t users_of(Desk::Turn& turn, std::string_view room) {
  const domain::Ledger::Room* entry = turn.ledger().find(room);
  return entry ? entry->users : 0;
}

Ending end_emptied(Desk::Turn& turn, std::string_view room) {
  if (!turn.options().scale) return {};  // the table is ignored
  return turn.end_if_unused(room, RemovedBy::leave);
}

Seating seat_session(Desk::Turn& turn, const SessionReport& report, domain::Ledger::Report kind) {
  Seating seating;
  if (!turn.policy().admits(report.room)) {
    seating.refused = Refused{domain::Refusal::room_not_found};
    turn.note_refusal({report.room, "", domain::Question::Asker::session, std::nullopt}, Decision{});
    return seating;
  }
  std::optional<std::string_view> reported;  // if it is a gateway at all
  if (report.janus) {
    const domain::Gateway* gateway = turn.policy().catalogue().gateway(*report.janus);
    if (gateway && !gateway->removed) reported = report.janus;
  }
  const bool scale = turn.options().scale;
  if (scale) {
    domain::Question question{report.room, "", domain::Question::Asker::session, std::nullopt};
    if (reported && turn.believes_reports(report.room)) question.reported = reported;
    const Decision decision = decide(turn.situation(), question);
    switch (decision.kind) {
      case Decision::Kind::refused:
        seating.refused = Refused{decision.refusal, decision.is_pinned(), turn.note_refusal(question, decision)};
        return seating;
      case Decision::Kind::pending:
        seating.claim = turn.claim_for(report.room);
        return seating;
      case Decision::Kind::booking:
        seating.claim = turn.book(question, decision, AssignedBy::report);
        return seating;
      case Decision::Kind::standing:
        break;
    }
  }
  seating.entered = turn.ledger().enter(report.session, report.room, reported, kind, turn.now());
  if (scale) {
    turn.ledger().touch(report.room, turn.now().wall);
    tell_of_difference(turn, report);
  }
  return seating;
}

std::variant<Reported, Refused> report_session(Desk& desk, const SessionReport& report) {
  const auto deadline = desk.deadline();
  for (;;) {
    Seating seating;
    std::optional<Reported> reported;
    std::shared_ptr<UnderWay> telling;
    {
      Desk::Turn turn(desk);
      seating = seat_session(turn, report, domain::Ledger::Report::own);
      if (seating.refused) return refused(desk, report, *std::move(seating.refused));
      if (!seating.claim) {
        if (seating.entered.moved_from) end_emptied(turn, *seating.entered.moved_from);
        reported = Reported{standing_gateway(turn.policy(), turn.ledger(), report.room), users_of(turn, report.room)};
        telling = turn.telling(report.room);
      }
    }
    if (reported) {
      // In the room it is in any case; but no sooner than that is the room sure to stay.
      if (telling) telling->is_done_by(deadline);
      return *std::move(reported);
    }
    const auto outcome = desk.wait_for(*seating.claim, deadline);
    if (is_over(outcome, deadline)) {
      return refused(desk, report, {domain::Refusal::storage_unavailable});
    }
  }
}

Left leave_room(Desk& desk, std::string_view room, std::string_view session) {
  Left result{};
  Ending ending;
  {
    Desk::Turn turn(desk);
    if (turn.ledger().leave(session, room)) ending = end_emptied(turn, room);
    result.users = users_of(turn, room);
  }
  result.assignment_removed = ending.is_done_by(desk.deadline());
  return result;
}

}  // namespace app
