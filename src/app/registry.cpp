#include "app/registry.h"

#include <algorithm>
#include <cassert>
#include <thread>
#include <utility>

#include "logging/log.h"
#include "store/journal.h"

namespace app {
namespace {

// So many sessions at most are taken for silent in one transaction: some 0.1 ms. Housekeeping sees to the others.
constexpr std::size_t expired_per_transaction = 256;
// The shortest time between two log lines on a room that is asked for again and again, or on too many sessions.
constexpr std::chrono::seconds room_logged_every{1};
constexpr std::chrono::minutes sessions_logged_every{1};

bool is_due(std::optional<domain::ServiceTime>& logged_at, domain::ServiceTime now, domain::Duration every) {
  if (logged_at && now < *logged_at + every) return false;
  logged_at = now;
  return true;
}

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

}  // namespace

Registry::Transaction::Transaction(Registry& registry)
    : registry_(registry), lock_(registry.mutex_), state_(registry.state_), now_(registry.clock_.now()) {
  if (state_.policy) {
    is_behind_ = state_.ledger.expire(now_.service, state_.policy->options().dead_after, expired_per_transaction);
  }
  state_.health.refresh(now_.service);
}

Registry::Transaction::~Transaction() {
  pass_on_changes(std::move(fact_));
  if (noted_.empty()) return;
  lock_.unlock();
  for (Noted& noted : noted_) {
    std::optional<DecisionRecord> whole = std::move(noted.record);
    if (noted.claim) whole = noted.claim->describe(std::move(*whole));
    if (whole) registry_.decisions_.add(std::move(*whole));
  }
}

Registry::Transaction::Noted& Registry::Transaction::note(std::string_view room, DecisionRecord::Asker asker) {
  Noted& noted = noted_.emplace_back();
  noted.record.time = now_.wall;
  noted.record.room = room;
  noted.record.asker = asker;
  noted.record.request_id = logging::request_id();
  return noted;
}

Registry::Transaction::Noted& Registry::Transaction::note(const domain::Question& question,
                                                          const domain::Decision& decision) {
  Noted& noted = note(question.room, asker_of(question, decision));
  noted.record.country = question.country;
  noted.record.left = decision.leaves;
  noted.record.reason = decision.reason;
  noted.record.regional_match = decision.regional_match;
  noted.record.candidates = candidates(question, decision);
  return noted;
}

Candidates Registry::Transaction::candidates(const domain::Question& question, const domain::Decision& decision) {
  std::vector<domain::Verdict> verdicts;
  std::size_t left_out = 0;
  if (decision.ground == domain::Decision::Ground::load) {
    const domain::Placement& placement = policy().placement();
    const std::size_t most = placement.size() > Candidates::most ? Candidates::most_of_many : Candidates::most;
    left_out = placement.explain(decision.region, input().loads(), decision.choice, most, verdicts);
  } else if (!decision.gateway.empty()) {
    verdicts.push_back(domain::chosen(input(), decision.gateway));
  } else if (decision.reason == domain::Reason::pinned) {
    verdicts.push_back(domain::barred(input(), *policy().pin(question.room)));
  }
  return Candidates(verdicts, left_out);
}

Candidates Registry::Transaction::note_refusal(const domain::Question& question, const domain::Decision& decision) {
  DecisionRecord& record = note(question, decision).record;
  record.refusal = decision.refusal;
  return record.candidates;
}

void Registry::Transaction::note_release(std::string_view room, const std::string& left) {
  note(room, DecisionRecord::Asker::release).record.left = left;
}

std::shared_ptr<Claim> Registry::Transaction::claim_for(std::string_view room) const {
  const auto it = state_.claims_in_flight.find(std::string(room));
  assert(it != state_.claims_in_flight.end());
  return it->second;
}

std::shared_ptr<Claim> Registry::Transaction::book(const domain::Question& question, const domain::Decision& decision,
                                                   AssignedBy by) {
  domain::Ledger& ledger = state_.ledger;
  const std::string room(question.room);
  const domain::GatewayNumber gateway = ledger.number_of(decision.gateway);
  ClaimRequest claim_request;
  if (decision.evacuation_cause != domain::EvacuationCause::none) {
    const auto evacuation = ledger.evacuations().find(ledger.number_of(decision.leaves));
    const bool has_standby = evacuation != ledger.evacuations().end() && evacuation->second.standby;
    if (has_standby) claim_request.standby_before = ledger.name_of(*evacuation->second.standby);
    std::optional<domain::GatewayNumber> standby;
    if (decision.standby) standby = ledger.number_of(*decision.standby);
    // Written together with the booking.
    ledger.begin_evacuation(ledger.number_of(decision.leaves), standby);
    pass_on_changes();
    by = decision.evacuation_cause == domain::EvacuationCause::offline ? AssignedBy::failover : AssignedBy::drain;
  }
  const domain::Ledger::Room* before = ledger.find(room);
  const bool replaces = before && before->held;
  const std::string left = replaces ? ledger.name_of(before->held->gateway) : "";
  auto claim = std::make_shared<Claim>();
  Noted& noted = note(question, decision);
  noted.claim = claim;
  const std::string request = noted.record.request_id;
  ledger.book(room, gateway, decision.region, now_);
  state_.health.booked(gateway, now_.service);
  state_.claims_in_flight.emplace(room, claim);
  claim_request.row = {room, decision.gateway, decision.region, now_.wall, now_.wall};
  claim_request.is_used_here = question.asker != domain::Question::Asker::mover;
  if (replaces) {
    claim_request.kind = decision.evacuation_cause != domain::EvacuationCause::none ? ClaimRequest::Kind::moved
                                                                                    : ClaimRequest::Kind::instead;
    claim_request.leaves = left;
    claim_request.standby = decision.standby;
  }
  Booking booking{room,
                  std::string(question.country),
                  decision,
                  claim_request.is_used_here,
                  by,
                  replaces,
                  state_.policy->placement().has_region(question.country),
                  request,
                  claim};
  registry_.claims_.claim(std::move(claim_request), [&registry = registry_, booking = std::move(booking)](
                                                        const Grant& grant) { registry.settle(booking, grant); });
  return claim;
}

Removal Registry::Transaction::end_if_unused(std::string_view room, RemovedBy by) {
  if (ledger().may_end(room, now_.service, options().join_grace)) return end(room, by);
  ledger().note_emptied(room);
  return {};
}

Removal Registry::Transaction::end(std::string_view room, RemovedBy by) {
  const domain::Ledger::Room* entry = ledger().find(room);
  if (!entry || !entry->held || entry->pending) return {};
  // We never announced this room as used here, so ending it is up to the other sidecars.
  if (ledger().announces_uses() &&
      (ledger().announced_use(*entry) == domain::Use::none || !registry_.claims_.store_view().may_claim))
    return {};
  const std::string name(room);
  Removal removal{false, std::make_shared<Completion>()};
  const auto ended = [&registry = registry_, name, by, completion = removal.completion](bool has_ended) {
    if (has_ended) registry.log_end(name, by);
    completion->settle(has_ended);
  };
  if (registry_.claims_.give_up(name, ended)) {
    ledger().end_assignment(name);
    registry_.log_end(name, by);
    return {true, nullptr};
  }
  ledger().set_announced_use(name, domain::Use::none);
  return removal;
}

std::shared_ptr<Completion> Registry::Transaction::announcing(std::string_view room) {
  if (!ledger().announces_uses()) return nullptr;
  announce_uses();
  const auto it = state_.announcing.find(room);
  return it == state_.announcing.end() || !registry_.claims_.store_view().may_claim ? nullptr : it->second;
}

void Registry::log_end(const std::string& room, RemovedBy by) {
  counts_.removed[by].add();
  if (by == RemovedBy::leave) logging::info("Cleaned up room assignment immediately", {{"room_id", room}});
}

// Where all see the same picture, all would choose the same gateway; so what they cannot have seen yet counts.
domain::DecisionInput Registry::Transaction::input() {
  using Selection = domain::Placement::Selection;
  domain::DecisionInput input{
      *state_.policy, state_.ledger, state_.health, now_.service, registry_.claims_.store_view(), 0};
  Selection& selection = input.store_view.selection;
  if (selection == Selection::least_loaded) return input;
  input.chance = state_.chance();
  const bool herds = state_.arrivals.is_burst(now_.service) || state_.warming.any(now_.service);
  if (selection == Selection::random_ties && herds) selection = Selection::two_choices;
  return input;
}

void Registry::Transaction::replace_policy(std::shared_ptr<const domain::Policy> policy) {
  state_.policy = std::move(policy);
  state_.warming.look(state_.policy->placement().candidates(), now_.service);
}

ClaimOutcome Registry::wait_for(Claim& claim, Claim::Deadline deadline) {
  const ClaimOutcome outcome = claim.wait_until(deadline);
  if (outcome != ClaimOutcome::timed_out) return outcome;
  if (auto refused = claim.give_up()) decisions_.add(std::move(*refused));
  return outcome;
}

void Registry::pause_between_slices() {
  // The lock is not fair: a thread that asks again at once gets it before those that it would have to wake. And on
  // a small machine the work would keep a processor until the scheduler's slice of some 4 ms ends.
  std::this_thread::sleep_for(std::chrono::microseconds{100});
}

bool Registry::Transaction::may_log_room(std::int64_t room) {
  return is_due(state_.room_logged_at[room], now_.service, room_logged_every);
}

bool Registry::Transaction::may_log_sessions() {
  return is_due(state_.sessions_logged_at, now_.service, sessions_logged_every);
}

std::shared_ptr<const domain::Policy> Registry::policy() const {
  const locks::MutexLock lock(mutex_);
  return state_.policy;
}

// A room that is to go to its pin is not asked for again at other sidecars within this time.
constexpr std::chrono::seconds believed_elsewhere{10};

void Registry::settle(const Booking& booking, const Grant& grant) {
  const domain::Decision& decision = booking.decision;
  const logging::RequestScope scope(booking.request_id);
  const bool won = grant.outcome == ClaimOutcome::won;
  {
    Transaction transaction(*this);
    if (won) {
      transaction.ledger().confirm(booking.room, transaction.ledger().number_of(grant.row.gateway_name));
      transaction.arrived();
    } else {
      transaction.ledger().withdraw(booking.room);
    }
    if (grant.outcome == ClaimOutcome::lost) {
      transaction.ledger().follow(grant.row);
      if (booking.replaces)
        transaction.ledger().note_elsewhere(booking.room, transaction.now().service + believed_elsewhere);
    }
    if (won && decision.evacuation_cause != domain::EvacuationCause::none) {
      transaction.ledger().note_move(booking.room, transaction.ledger().number_of(decision.leaves),
                                     booking.answers_caller);
    }
    transaction.count(booking, won);
    transaction.state_.claims_in_flight.erase(booking.room);
  }
  if (won && decision.evacuation_cause != domain::EvacuationCause::none) {
    logging::info(decision.evacuation_cause == domain::EvacuationCause::offline
                      ? "Room reassigned from offline server"
                      : "Room reassigned from draining server",
                  {{"room_id", booking.room}, {"old_server", decision.leaves}, {"new_server", grant.row.gateway_name}});
  } else if (won) {
    logging::info("Assigned room to server", {{"room_id", booking.room},
                                              {"gateway_name", grant.row.gateway_name},
                                              {"country_code", booking.country},
                                              {"regional_match", decision.regional_match}});
  }
  // Before a waiting caller is answered, so that the caller finds it. Other sidecars record their own decisions.
  const bool failed = grant.outcome == ClaimOutcome::failed;
  if (won || failed) {
    auto whole = booking.claim->conclude(won ? std::optional(grant.row.gateway_name) : std::nullopt);
    if (whole) decisions_.add(std::move(*whole));
  }
  booking.claim->settle(grant.outcome);
}

void Registry::Transaction::count(const Booking& booking, bool granted) {
  if (granted) (booking.replaces ? counts().moved : counts().created)[booking.by].add();
  const domain::Ledger::Room* room = ledger().find(booking.room);
  if (!granted && booking.replaces && !(room && room->held)) counts().removed[RemovedBy::mode_change].add();
  // Where a pin or its users had it go there was no choice.
  if (!granted || booking.by != AssignedBy::answer || booking.decision.ground != domain::Decision::Ground::load) return;
  const RegionalMatch without = booking.has_region ? RegionalMatch::miss : RegionalMatch::no_region;
  counts().regional[booking.decision.regional_match ? RegionalMatch::match : without].add();
}

void Registry::Transaction::pass_on_changes(std::optional<domain::Fact> fact) {
  // In legacy mode sessions are counted in memory only; what ends an assignment there is an operator's
  // command, and is written.
  const bool scale = state_.policy && options().scale;
  auto changes = ledger().take_changes();
  if (!scale) {
    std::erase_if(changes, [](const domain::Change& change) {
      return std::holds_alternative<domain::Session>(change) || std::holds_alternative<domain::SessionGone>(change);
    });
  }
  for (const domain::Change& change : changes) {
    if (auto* over = std::get_if<domain::FailoverGone>(&change)) registry_.claims_.end_evacuation(over->gateway_name);
  }
  if (fact) changes.emplace_back(std::move(*fact));
  registry_.journal_.note(std::move(changes));
  if (ledger().announces_uses()) announce_uses();
}

void Registry::Transaction::announce_uses() {
  std::vector<UseAnnouncement> announcements;
  for (domain::RoomUse& use : ledger().take_uses()) {
    UseAnnouncement announcement{std::move(use), {}};
    if (announcement.use.is_first) {
      auto completion = std::make_shared<Completion>();
      announcement.announced = [&registry = registry_, room = announcement.use.room_id, completion] {
        {
          Transaction transaction(registry);
          auto& announcing = transaction.state_.announcing;
          const auto it = announcing.find(room);
          if (it != announcing.end() && it->second == completion) announcing.erase(it);
        }
        completion->settle(true);
      };
      state_.announcing.insert_or_assign(announcement.use.room_id, std::move(completion));
    }
    announcements.push_back(std::move(announcement));
  }
  if (!announcements.empty()) registry_.claims_.use(std::move(announcements));
}

}  // namespace app
