#include "app/decision_notes.h"

#include <optional>
#include <utility>

#include "logging/log.h"

namespace app {
namespace {

DecisionRecord::Asker asker_of(const domain::Question& question, const domain::Decision& decision) {
  if (decision.ground == domain::Decision::Ground::users) return DecisionRecord::Asker::adoption;
  switch (question.asker) {
    case domain::Question::Asker::user:
      break;
    case domain::Question::Asker::session:
      return DecisionRecord::Asker::session;
    case domain::Question::Asker::mover:
      return DecisionRecord::Asker::mover;
  }
  return DecisionRecord::Asker::user;
}

Candidates candidates_of(const domain::DecisionInput& input, const domain::Question& question,
                         const domain::Decision& decision) {
  std::vector<domain::Verdict> verdicts;
  std::size_t left_out = 0;
  if (decision.ground == domain::Decision::Ground::load) {
    const domain::Placement& placement = input.policy.placement();
    const std::size_t most = placement.size() > Candidates::most ? Candidates::most_of_many : Candidates::most;
    left_out = placement.explain(decision.region, input.loads(), decision.choice, most, verdicts);
  } else if (decision.gateway) {
    verdicts.push_back(domain::chosen(input, *decision.gateway));
  } else if (decision.reason == domain::Reason::pinned) {
    verdicts.push_back(domain::barred(input, input.ledger.gateways().require(*input.policy.pin(question.room))));
  }
  return Candidates(verdicts, left_out);
}

}  // namespace

DecisionNotes::Note& DecisionNotes::add(const domain::RoomId& room, DecisionRecord::Asker asker, domain::WallTime now) {
  Note& note = notes_.emplace_back();
  note.record.time = now;
  note.record.room = room;
  note.record.asker = asker;
  note.record.request_id = logging::request_id();
  return note;
}

DecisionNotes::Note& DecisionNotes::add(const domain::DecisionInput& input, const domain::Question& question,
                                        const domain::Decision& decision, domain::WallTime now) {
  Note& note = add(question.room, asker_of(question, decision), now);
  note.record.country = question.country;
  if (decision.leaves) note.record.left = input.ledger.name_of(*decision.leaves);
  note.record.reason = decision.reason;
  note.record.regional_match = decision.regional_match;
  note.record.candidates = candidates_of(input, question, decision);
  return note;
}

std::string DecisionNotes::note(const domain::DecisionInput& input, const domain::Question& question,
                                const domain::Decision& decision, std::shared_ptr<Claim> claim, domain::WallTime now) {
  Note& note = add(input, question, decision, now);
  note.claim = std::move(claim);
  return note.record.request_id;
}

Candidates DecisionNotes::note_refusal(const domain::DecisionInput& input, const domain::Question& question,
                                       const domain::Decision& decision, domain::WallTime now) {
  DecisionRecord& record = add(input, question, decision, now).record;
  record.refusal = decision.refusal;
  return record.candidates;
}

void DecisionNotes::note_release(const domain::RoomId& room, const std::string& left, domain::WallTime now) {
  add(room, DecisionRecord::Asker::release, now).record.left = left;
}

void DecisionNotes::record(DecisionLog& log) {
  for (Note& note : notes_) {
    std::optional<DecisionRecord> whole = std::move(note.record);
    if (note.claim) whole = note.claim->describe(std::move(*whole));
    if (whole) log.add(std::move(*whole));
  }
}

}  // namespace app
