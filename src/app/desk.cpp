#include "app/desk.h"

#include <algorithm>
#include <cassert>
#include <thread>
#include <utility>

#include "app/event_log.h"
#include "store/journal.h"

namespace app {
namespace {

// So many sessions at most are taken for silent in one turn: some 0.1 ms. Housekeeping sees to the others.
constexpr std::size_t expired_a_turn = 256;
// A room asked for again and again is told of at most so often; too many sessions are.
constexpr std::chrono::seconds room_told_every{1};
constexpr std::chrono::minutes sessions_told_every{1};

bool is_due(std::optional<domain::ServiceTime>& told, domain::ServiceTime now, domain::Duration every) {
  if (told && now < *told + every) return false;
  told = now;
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

std::optional<DecisionRecord> with_end(DecisionRecord& record, const std::optional<std::string>& holder) {
  record.gateway = holder;
  if (!holder) record.refusal = domain::Refusal::storage_unavailable;
  return std::move(record);
}

}  // namespace

void Claim::settle(Outcome outcome) {
  {
    const locks::MutexLock lock(mutex_);
    outcome_ = outcome;
  }
  settled_.notify_all();
}

Claim::Outcome Claim::wait_until(Deadline deadline) {
  locks::MutexLock lock(mutex_);
  if (!settled_.wait_until(lock, deadline, [this]() REQUIRES(mutex_) { return outcome_.has_value(); }))
    return Outcome::late;
  return *outcome_;
}

void UnderWay::settle(bool done) {
  {
    const locks::MutexLock lock(mutex_);
    done_ = done;
  }
  settled_.notify_all();
}

bool UnderWay::is_done_by(Claim::Deadline deadline) {
  locks::MutexLock lock(mutex_);
  settled_.wait_until(lock, deadline, [this]() REQUIRES(mutex_) { return done_.has_value(); });
  return done_.value_or(false);
}

std::optional<DecisionRecord> Claim::describe(DecisionRecord record) {
  const locks::MutexLock lock(mutex_);
  described_ = std::move(record);
  return concluded_ ? with_end(*described_, *concluded_) : std::nullopt;
}

std::optional<DecisionRecord> Claim::conclude(const std::optional<std::string>& holder) {
  const locks::MutexLock lock(mutex_);
  concluded_ = holder;
  if (!holder && is_given_up_) return std::nullopt;
  return described_ ? with_end(*described_, holder) : std::nullopt;
}

std::optional<DecisionRecord> Claim::give_up() {
  const locks::MutexLock lock(mutex_);
  if (!described_ || concluded_ || is_given_up_) return std::nullopt;
  is_given_up_ = true;
  DecisionRecord record = *described_;
  return with_end(record, std::nullopt);
}

Desk::Turn::Turn(Desk& desk) : desk_(desk), lock_(desk.mutex_), state_(desk.state_), now_(desk.clock_.now()) {
  if (state_.policy) {
    is_behind_ = state_.ledger.expire(now_.service, state_.policy->options().dead_after, expired_a_turn);
  }
  state_.health.refresh(now_.service);
}

Desk::Turn::~Turn() {
  pass_on_changes(std::move(fact_));
  if (noted_.empty()) return;
  lock_.unlock();
  for (Noted& noted : noted_) {
    std::optional<DecisionRecord> whole = std::move(noted.record);
    if (noted.claim) whole = noted.claim->describe(std::move(*whole));
    if (whole) desk_.decisions_.add(std::move(*whole));
  }
}

Desk::Turn::Noted& Desk::Turn::note(std::string_view room, DecisionRecord::Asker asker) {
  Noted& noted = noted_.emplace_back();
  noted.record.time = now_.wall;
  noted.record.room = room;
  noted.record.asker = asker;
  noted.record.request_id = request_id();
  return noted;
}

Desk::Turn::Noted& Desk::Turn::note(const domain::Question& question, const domain::Decision& decision) {
  Noted& noted = note(question.room, asker_of(question, decision));
  noted.record.country = question.country;
  noted.record.left = decision.leaves;
  noted.record.reason = decision.reason;
  noted.record.regional_match = decision.regional_match;
  noted.record.candidates = candidates(question, decision);
  return noted;
}

Candidates Desk::Turn::candidates(const domain::Question& question, const domain::Decision& decision) {
  std::vector<domain::Verdict> verdicts;
  std::size_t left_out = 0;
  if (decision.ground == domain::Decision::Ground::load) {
    const domain::Placement& placement = policy().placement();
    const std::size_t most = placement.size() > Candidates::most ? Candidates::most_of_many : Candidates::most;
    left_out = placement.explain(decision.region, situation().scene(), decision.choice, most, verdicts);
  } else if (!decision.gateway.empty()) {
    verdicts.push_back(domain::chosen(situation(), decision.gateway));
  } else if (decision.reason == domain::Reason::pinned) {
    verdicts.push_back(domain::barred(situation(), *policy().pin(question.room)));
  }
  return Candidates(verdicts, left_out);
}

Candidates Desk::Turn::note_refusal(const domain::Question& question, const domain::Decision& decision) {
  DecisionRecord& record = note(question, decision).record;
  record.refusal = decision.refusal;
  return record.candidates;
}

void Desk::Turn::note_release(std::string_view room, const std::string& left) {
  note(room, DecisionRecord::Asker::release).record.left = left;
}

std::shared_ptr<Claim> Desk::Turn::claim_for(std::string_view room) const {
  const auto it = state_.under_way.find(std::string(room));
  assert(it != state_.under_way.end());
  return it->second;
}

std::shared_ptr<Claim> Desk::Turn::book(const domain::Question& question, const domain::Decision& decision,
                                        AssignedBy by) {
  domain::Ledger& ledger = state_.ledger;
  const std::string room(question.room);
  const domain::GatewayNumber gateway = ledger.number_of(decision.gateway);
  Wish wish;
  if (decision.departure != domain::Departure::none) {
    const auto leaving = ledger.leaving().find(ledger.number_of(decision.leaves));
    const bool has_standby = leaving != ledger.leaving().end() && leaving->second.standby;
    if (has_standby) wish.standby_before = ledger.name_of(*leaving->second.standby);
    std::optional<domain::GatewayNumber> standby;
    if (decision.standby) standby = ledger.number_of(*decision.standby);
    // Written together with the booking.
    ledger.begin_leaving(ledger.number_of(decision.leaves), standby);
    pass_on_changes();
    by = decision.departure == domain::Departure::offline ? AssignedBy::failover : AssignedBy::drain;
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
  state_.under_way.emplace(room, claim);
  wish.row = {room, decision.gateway, decision.region, now_.wall, now_.wall};
  wish.is_used_here = question.asker != domain::Question::Asker::mover;
  if (replaces) {
    wish.kind = decision.departure != domain::Departure::none ? Wish::Kind::moved : Wish::Kind::instead;
    wish.leaves = left;
    wish.standby = decision.standby;
  }
  Booking booking{room,
                  std::string(question.country),
                  decision,
                  wish.is_used_here,
                  by,
                  replaces,
                  state_.policy->placement().has_region(question.country),
                  request,
                  claim};
  desk_.claims_.claim(std::move(wish), [&desk = desk_, booking = std::move(booking)](const Grant& grant) {
    desk.settle(booking, grant);
  });
  return claim;
}

Ending Desk::Turn::end_if_unused(std::string_view room, RemovedBy by) {
  if (ledger().may_end(room, now_.service, options().join_grace)) return end(room, by);
  ledger().note_emptied(room);
  return {};
}

Ending Desk::Turn::end(std::string_view room, RemovedBy by) {
  const domain::Ledger::Room* entry = ledger().find(room);
  if (!entry || !entry->held || entry->pending) return {};
  // We never announced this room as used here, so ending it is up to the other sidecars.
  if (ledger().tells_uses() && (ledger().use_told(*entry) == domain::Use::none || !desk_.claims_.certainty().may_claim))
    return {};
  const std::string name(room);
  Ending ending{false, std::make_shared<UnderWay>()};
  const auto ended = [&desk = desk_, name, by, under_way = ending.under_way](bool has_ended) {
    if (has_ended) desk.tell_end(name, by);
    under_way->settle(has_ended);
  };
  if (desk_.claims_.give_up(name, ended)) {
    ledger().end_assignment(name);
    desk_.tell_end(name, by);
    return {true, nullptr};
  }
  ledger().set_use_told(name, domain::Use::none);
  return ending;
}

std::shared_ptr<UnderWay> Desk::Turn::telling(std::string_view room) {
  if (!ledger().tells_uses()) return nullptr;
  tell_uses();
  const auto it = state_.telling.find(room);
  return it == state_.telling.end() || !desk_.claims_.certainty().may_claim ? nullptr : it->second;
}

void Desk::tell_end(const std::string& room, RemovedBy by) {
  counts_.removed[by].add();
  if (by == RemovedBy::leave) log_info("Cleaned up room assignment immediately", {{"room_id", room}});
}

// Where all see the same picture, all would choose the same gateway; so what they cannot have seen yet counts.
domain::Situation Desk::Turn::situation() {
  using Manner = domain::Placement::Manner;
  domain::Situation situation{*state_.policy, state_.ledger, state_.health, now_.service, desk_.claims_.certainty(), 0};
  Manner& manner = situation.certainty.manner;
  if (manner == Manner::alone) return situation;
  situation.chance = state_.chance();
  const bool herds = state_.storm.rages(now_.service) || state_.newcomers.any(now_.service);
  if (manner == Manner::shared && herds) manner = Manner::unsure;
  return situation;
}

void Desk::Turn::replace_policy(std::shared_ptr<const domain::Policy> policy) {
  state_.policy = std::move(policy);
  state_.newcomers.look(state_.policy->placement().candidates(), now_.service);
}

void Desk::Turn::disbelieve_reports(std::string_view room, domain::ServiceTime until) {
  state_.disbelieved.insert_or_assign(std::string(room), until);
}

bool Desk::Turn::believes_reports(std::string_view room) {
  const auto it = state_.disbelieved.find(room);
  if (it == state_.disbelieved.end()) return true;
  if (now_.service < it->second) return false;
  state_.disbelieved.erase(it);
  return true;
}

Claim::Outcome Desk::wait_for(Claim& claim, Claim::Deadline deadline) {
  const Claim::Outcome outcome = claim.wait_until(deadline);
  if (outcome != Claim::Outcome::late) return outcome;
  if (auto refused = claim.give_up()) decisions_.add(std::move(*refused));
  return outcome;
}

void Desk::let_others_pass() {
  // The lock is not fair: who asks again at once gets it before those whom it would have to wake. And on
  // a small machine the work would keep a processor until the scheduler's slice of some 4 ms ends.
  std::this_thread::sleep_for(std::chrono::microseconds{100});
}

bool Desk::Turn::may_tell_of(std::int64_t room) { return is_due(state_.told_of[room], now_.service, room_told_every); }

bool Desk::Turn::may_tell_of_sessions() { return is_due(state_.told_of_sessions, now_.service, sessions_told_every); }

std::shared_ptr<const domain::Policy> Desk::policy() const {
  const locks::MutexLock lock(mutex_);
  return state_.policy;
}

// A room that is to go to its pin is not asked for again at other sidecars within this time.
constexpr std::chrono::seconds believed_elsewhere{10};

void Desk::settle(const Booking& booking, const Grant& grant) {
  const domain::Decision& decision = booking.decision;
  const RequestScope scope(booking.request_id);
  const bool won = grant.outcome == Grant::Outcome::won;
  {
    Turn turn(*this);
    if (won) {
      turn.ledger().confirm(booking.room, turn.ledger().number_of(grant.row.gateway_name));
      turn.arrived();
    } else {
      turn.ledger().withdraw(booking.room);
    }
    if (grant.outcome == Grant::Outcome::lost) {
      turn.ledger().follow(grant.row);
      if (booking.replaces) turn.ledger().note_elsewhere(booking.room, turn.now().service + believed_elsewhere);
    }
    if (won && decision.departure != domain::Departure::none) {
      turn.ledger().note_move(booking.room, turn.ledger().number_of(decision.leaves), booking.is_told);
    }
    turn.count(booking, won);
    turn.state_.under_way.erase(booking.room);
  }
  if (won && decision.departure != domain::Departure::none) {
    log_info(decision.departure == domain::Departure::offline ? "Room reassigned from offline server"
                                                              : "Room reassigned from draining server",
             {{"room_id", booking.room}, {"old_server", decision.leaves}, {"new_server", grant.row.gateway_name}});
  } else if (won) {
    log_info("Assigned room to server", {{"room_id", booking.room},
                                         {"gateway_name", grant.row.gateway_name},
                                         {"country_code", booking.country},
                                         {"regional_match", decision.regional_match}});
  }
  // Before anybody who waits is answered, so that he finds it. What somebody else decided is his to remember.
  const bool failed = grant.outcome == Grant::Outcome::failed;
  if (won || failed) {
    auto whole = booking.claim->conclude(won ? std::optional(grant.row.gateway_name) : std::nullopt);
    if (whole) decisions_.add(std::move(*whole));
  }
  booking.claim->settle(won ? Claim::Outcome::won : failed ? Claim::Outcome::failed : Claim::Outcome::elsewhere);
}

void Desk::Turn::count(const Booking& booking, bool granted) {
  if (granted) (booking.replaces ? counts().moved : counts().created)[booking.by].add();
  const domain::Ledger::Room* room = ledger().find(booking.room);
  if (!granted && booking.replaces && !(room && room->held)) counts().removed[RemovedBy::mode_change].add();
  // Where a pin or its users had it go there was no choice.
  if (!granted || booking.by != AssignedBy::answer || booking.decision.ground != domain::Decision::Ground::load) return;
  const RegionalMatch without = booking.has_region ? RegionalMatch::miss : RegionalMatch::no_region;
  counts().regional[booking.decision.regional_match ? RegionalMatch::match : without].add();
}

void Desk::Turn::pass_on_changes(std::optional<domain::Fact> fact) {
  // In legacy mode sessions are counted in memory only; what ends an assignment there is an operator's
  // word, and is written.
  const bool scale = state_.policy && options().scale;
  auto changes = ledger().take_changes();
  if (!scale) {
    std::erase_if(changes, [](const domain::Change& change) {
      return std::holds_alternative<domain::Session>(change) || std::holds_alternative<domain::SessionGone>(change);
    });
  }
  for (const domain::Change& change : changes) {
    if (auto* over = std::get_if<domain::FailoverGone>(&change)) desk_.claims_.end_leaving(over->gateway_name);
  }
  if (fact) changes.emplace_back(std::move(*fact));
  desk_.journal_.note(std::move(changes));
  if (ledger().tells_uses()) tell_uses();
}

void Desk::Turn::tell_uses() {
  std::vector<TellUse> to_tell;
  for (domain::RoomUse& use : ledger().take_uses()) {
    TellUse tell{std::move(use), {}};
    if (tell.use.is_first) {
      auto under_way = std::make_shared<UnderWay>();
      tell.told = [&desk = desk_, room = tell.use.room_id, under_way] {
        {
          Turn turn(desk);
          auto& telling = turn.state_.telling;
          const auto it = telling.find(room);
          if (it != telling.end() && it->second == under_way) telling.erase(it);
        }
        under_way->settle(true);
      };
      state_.telling.insert_or_assign(tell.use.room_id, std::move(under_way));
    }
    to_tell.push_back(std::move(tell));
  }
  if (!to_tell.empty()) desk_.claims_.use(std::move(to_tell));
}

}  // namespace app
