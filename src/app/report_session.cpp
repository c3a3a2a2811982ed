#include "app/report_session.h"

#include <algorithm>

#include "app/book_room.h"
#include "app/change_policy.h"
#include "app/end_assignment.h"
#include "app/splits.h"
#include "logging/log.h"

namespace app {
namespace {

using domain::Decision;

// A `janus` that differs is logged once a session, also an unknown one: it may be a typing error.
void log_difference(Registry::Transaction& transaction, const SessionReport& report) {
  const domain::Ledger::Room* room = transaction.ledger().find(report.room);
  if (!report.janus || !room->held || transaction.ledger().name_of(room->held->gateway) == *report.janus) return;
  if (!transaction.ledger().mark_first_difference(report.session)) return;
  logging::warn("Session reports another gateway than its room is assigned to",
                {{"room_id", report.room},
                 {"session", report.session},
                 {"reported", *report.janus},
                 {"gateway_name", transaction.ledger().name_of(room->held->gateway)}});
}

// A session that is known may go on, and move: what is known here grows by new ones only.
bool is_one_too_many(const Registry::View& view, std::string_view session, std::size_t waiting) {
  const domain::Sessions& sessions = view.ledger().sessions();
  const auto max = static_cast<std::size_t>(view.options().max_sessions);
  return sessions.all() + waiting >= max && !sessions.find(session);
}

Refused refused(Registry& registry, const SessionReport& report, Refused refused) {
  registry.counts().session_refusals[refused.refusal].add();
  logging::info("Session refused",
                {{"room_id", report.room}, {"session", report.session}, {"error", code_of(refused.refusal)}});
  return refused;
}

}  // namespace

void warn_of_too_many_sessions(Registry::Transaction& transaction) {
  if (!transaction.log_limits().may_log_sessions(transaction.now().service)) return;
  logging::warn("Too many sessions; new ones are refused, see sessions.max",
                {{"sessions", static_cast<std::int64_t>(transaction.ledger().sessions().all())},
                 {"max", transaction.options().max_sessions}});
}

std::size_t users_of(const Registry::View& view, const domain::RoomId& room) {
  const domain::Ledger::Room* entry = view.ledger().find(room);
  return entry ? entry->all_users() : 0;
}

// Sessions that come in meanwhile are new ones, and stay.
void forget_sessions(Registry& registry, const std::vector<domain::RoomId>& rooms) {
  std::size_t known = 0;
  for (auto room = rooms.begin(); room != rooms.end(); registry.pause_between_slices()) {
    Registry::Transaction transaction(registry);
    for (std::size_t left = forgotten_per_slice; room != rooms.end() && left > 0;) {
      const domain::Ledger::Room* entry = transaction.ledger().find(*room);
      if (known == 0 && entry) known = entry->sessions;
      const std::size_t forgotten = transaction.ledger().forget_sessions(*room, std::min(left, known));
      known -= forgotten;
      left -= std::max<std::size_t>(forgotten, 1);
      if (known == 0 || forgotten == 0) {
        known = 0;
        ++room;
      }
    }
  }
}

Removal end_emptied(Registry::Transaction& transaction, const domain::RoomId& room) {
  if (!transaction.options().scale) return {};  // the table is ignored
  return end_if_unused(transaction, room, RemovedBy::leave);
}

EntryAttempt enter_session(Registry::Transaction& transaction, const SessionReport& report,
                           domain::Sessions::Report kind, std::size_t waiting) {
  EntryAttempt attempt;
  if (!transaction.policy().admits(report.room)) {
    attempt.refused = Refused{domain::Refusal::room_not_found};
    transaction.decision_notes().note_refusal(transaction.input(),
                                              {report.room, "", domain::Question::Asker::session, std::nullopt},
                                              Decision{}, transaction.now().wall);
    return attempt;
  }
  if (is_one_too_many(transaction, report.session, waiting)) {
    attempt.refused = Refused{domain::Refusal::too_many_sessions};
    return attempt;
  }
  std::optional<std::string_view> reported;  // if it is a gateway at all
  if (report.janus) {
    const domain::Gateway* gateway = transaction.policy().catalogue().gateway(*report.janus);
    if (gateway && !gateway->removed) reported = report.janus;
  }
  const bool scale = transaction.options().scale;
  if (scale) {
    domain::Question question{report.room, "", domain::Question::Asker::session, std::nullopt};
    if (reported && transaction.quarantine().accepts(report.room, transaction.now().service))
      question.reported = reported;
    catch_up_with_scale(transaction, report.room);
    const domain::DecisionInput input = transaction.input();
    const Decision decision = decide(input, question);
    switch (decision.kind) {
      case Decision::Kind::refused:
        attempt.refused =
            Refused{decision.refusal, decision.is_pinned(),
                    transaction.decision_notes().note_refusal(input, question, decision, transaction.now().wall)};
        return attempt;
      case Decision::Kind::pending:
        attempt.claim = transaction.claims_in_flight().require(report.room);
        return attempt;
      case Decision::Kind::booking:
        attempt.claim = book_room(transaction, question, decision, AssignedBy::report);
        return attempt;
      case Decision::Kind::standing:
        break;
    }
  }
  attempt.entered = transaction.ledger().enter(report.session, report.room, reported, kind, transaction.now());
  if (scale) {
    transaction.ledger().touch(report.room, transaction.now().wall);
    log_difference(transaction, report);
  }
  if (reported) look_for_split(transaction, report.room, std::string(*reported));
  return attempt;
}

std::variant<Reported, Refused> report_session(Registry& registry, const SessionReport& report) {
  const auto deadline = registry.deadline();
  for (;;) {
    EntryAttempt attempt;
    std::optional<Reported> reported;
    std::shared_ptr<Completion> announcing;
    {
      Registry::Transaction transaction(registry);
      attempt = enter_session(transaction, report, domain::Sessions::Report::own);
      if (attempt.refused) {
        if (attempt.refused->refusal == domain::Refusal::too_many_sessions) warn_of_too_many_sessions(transaction);
        return refused(registry, report, *std::move(attempt.refused));
      }
      if (!attempt.claim) {
        if (attempt.entered.moved_from) end_emptied(transaction, *attempt.entered.moved_from);
        reported = Reported{standing_gateway(transaction.policy(), transaction.ledger(), report.room),
                            users_of(transaction, report.room)};
        announcing = transaction.announcing(report.room);
      }
    }
    if (reported) {
      // In the room it is in any case; but no sooner than that is the room sure to stay.
      if (announcing) announcing->is_done_by(deadline);
      return *std::move(reported);
    }
    const auto outcome = registry.wait_for(*attempt.claim, deadline);
    if (is_over(outcome, deadline)) {
      return refused(registry, report, {domain::Refusal::storage_unavailable});
    }
  }
}

Left leave_room(Registry& registry, const domain::RoomId& room, std::string_view session) {
  Left result{};
  Removal removal;
  {
    Registry::Transaction transaction(registry);
    if (transaction.ledger().leave(session, room)) removal = end_emptied(transaction, room);
    result.users = users_of(transaction, room);
  }
  result.assignment_removed = removal.is_done_by(registry.deadline());
  return result;
}

}  // namespace app
