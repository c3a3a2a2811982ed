#include "app/report_session.h"

#include <algorithm>

#include "app/change_policy.h"
#include "app/event_log.h"
#include "app/splits.h"

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

// A session that is known may go on, and move: what is known here grows by new ones only.
bool is_one_too_many(Desk::Turn& turn, std::string_view session, std::size_t waiting) {
  const domain::Ledger& ledger = turn.ledger();
  const auto max = static_cast<std::size_t>(turn.options().max_sessions);
  if (ledger.all_sessions() + waiting < max || ledger.knows_session(session)) return false;
  if (!turn.may_tell_of_sessions()) return true;
  log_warn("Too many sessions; new ones are refused, see sessions.max",
           {{"sessions", static_cast<std::int64_t>(ledger.all_sessions())}, {"max", turn.options().max_sessions}});
  return true;
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
  return entry ? entry->all_users() : 0;
}

// Those who come in meanwhile are new ones, and stay.
void forget_sessions(Desk& desk, const std::vector<std::string>& rooms) {
  std::size_t known = 0;
  for (auto room = rooms.begin(); room != rooms.end(); desk.let_others_pass()) {
    Desk::Turn turn(desk);
    for (std::size_t left = forgotten_a_turn; room != rooms.end() && left > 0;) {
      const domain::Ledger::Room* entry = turn.ledger().find(*room);
      if (known == 0 && entry) known = entry->sessions;
      const std::size_t forgotten = turn.ledger().forget_sessions(*room, std::min(left, known));
      known -= forgotten;
      left -= std::max<std::size_t>(forgotten, 1);
      if (known == 0 || forgotten == 0) {
        known = 0;
        ++room;
      }
    }
  }
}

Ending end_emptied(Desk::Turn& turn, std::string_view room) {
  if (!turn.options().scale) return {};  // the table is ignored
  return turn.end_if_unused(room, RemovedBy::leave);
}

Seating seat_session(Desk::Turn& turn, const SessionReport& report, domain::Ledger::Report kind, std::size_t waiting) {
  Seating seating;
  if (!turn.policy().admits(report.room)) {
    seating.refused = Refused{domain::Refusal::room_not_found};
    turn.note_refusal({report.room, "", domain::Question::Asker::session, std::nullopt}, Decision{});
    return seating;
  }
  if (is_one_too_many(turn, report.session, waiting)) {
    seating.refused = Refused{domain::Refusal::too_many_sessions};
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
    catch_up_with_scale(turn, report.room);
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
  if (reported) look_for_split(turn, std::string(report.room), std::string(*reported));
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
