#include "app/desk.h"

#include <cassert>
#include <thread>
#include <utility>

#include "app/event_log.h"
#include "store/journal.h"

namespace app {

void Claim::settle(const std::optional<std::string>& holder) {
  {
    const std::lock_guard lock(mutex_);
    is_settled_ = true;
    holder_ = holder;
  }
  settled_.notify_all();
}

Claim::Outcome Claim::wait_until(Deadline deadline) {
  std::unique_lock lock(mutex_);
  if (!settled_.wait_until(lock, deadline, [this] { return is_settled_; })) return Outcome::late;
  return holder_ ? Outcome::granted : Outcome::failed;
}

bool Claim::is_for(std::string_view gateway) {
  const std::lock_guard lock(mutex_);
  return holder_ == gateway;
}

Desk::Turn::Turn(Desk& desk) : desk_(desk), lock_(desk.mutex_), now_(desk.clock_.now()) {
  if (desk_.policy_) desk_.ledger_.expire(now_.service, desk_.policy_->options().dead_after);
  desk_.health_.refresh(now_.service);
}

Desk::Turn::~Turn() { desk_.pass_on_changes(); }

std::shared_ptr<Claim> Desk::Turn::claim_for(std::string_view room) const {
  const auto it = desk_.under_way_.find(std::string(room));
  assert(it != desk_.under_way_.end());
  return it->second;
}

std::shared_ptr<Claim> Desk::Turn::book(const domain::Question& question,
                                        const domain::Decision& decision, AssignedBy by) {
  domain::Ledger& ledger = desk_.ledger_;
  const std::string room(question.room);
  const domain::GatewayNumber gateway = ledger.number_of(decision.gateway);
  if (decision.departure != domain::Departure::none) {
    std::optional<domain::GatewayNumber> standby;
    if (decision.standby) standby = ledger.number_of(*decision.standby);
    // Written together with the booking.
    ledger.begin_leaving(ledger.number_of(decision.leaves), standby);
    desk_.pass_on_changes();
    by = decision.departure == domain::Departure::offline ? AssignedBy::failover : AssignedBy::drain;
  }
  const domain::Ledger::Room* before = ledger.find(room);
  const bool replaces = before && before->held;
  ledger.book(room, gateway, decision.region, now_);
  desk_.health_.booked(gateway, now_.service);
  auto claim = std::make_shared<Claim>();
  desk_.under_way_.emplace(room, claim);
  const domain::Assignment wished{room, decision.gateway, decision.region, now_.wall, now_.wall};
  Booking booking{room, std::string(question.country), decision,
                  question.asker != domain::Question::Asker::mover, by, replaces,
                  desk_.policy_->placement().has_region(question.country), claim};
  desk_.claims_.claim(wished, [&desk = desk_, booking = std::move(booking)](
                                  const std::optional<std::string>& holder) {
    desk.settle(booking, holder);
  });
  return claim;
}

void Desk::Turn::replace_policy(std::shared_ptr<const domain::Policy> policy) {
  desk_.policy_ = std::move(policy);
}

void Desk::Turn::disbelieve_reports(std::string_view room, domain::ServiceTime until) {
  desk_.disbelieved_.insert_or_assign(std::string(room), until);
}

bool Desk::Turn::believes_reports(std::string_view room) {
  const auto it = desk_.disbelieved_.find(room);
  if (it == desk_.disbelieved_.end()) return true;
  if (now_.service < it->second) return false;
  desk_.disbelieved_.erase(it);
  return true;
}

void Desk::let_others_pass() {
  // The lock is not fair: who asks again at once gets it before those whom it would have to wake. And on
  // a small machine the work would keep a processor until the scheduler's slice of some 4 ms ends.
  std::this_thread::sleep_for(std::chrono::microseconds{100});
}

bool Desk::Turn::may_tell_of(std::int64_t room) {
  const auto [it, is_first] = desk_.told_of_.try_emplace(room, now_.service);
  if (!is_first && now_.service < it->second + std::chrono::seconds{1}) return false;
  it->second = now_.service;
  return true;
}

std::shared_ptr<const domain::Policy> Desk::policy() const {
  const std::lock_guard lock(mutex_);
  return policy_;
}

void Desk::settle(const Booking& booking, const std::optional<std::string>& holder) {
  const domain::Decision& decision = booking.decision;
  {
    Turn turn(*this);
    if (holder) {
      ledger_.confirm(booking.room, ledger_.number_of(*holder));
    } else {
      ledger_.withdraw(booking.room);
    }
    if (holder && decision.departure != domain::Departure::none) {
      ledger_.note_move(booking.room, ledger_.number_of(decision.leaves), booking.is_told);
    }
    count(booking, holder.has_value());
    under_way_.erase(booking.room);
  }
  if (holder && decision.departure != domain::Departure::none) {
    log_info(decision.departure == domain::Departure::offline ? "Room reassigned from offline server"
                                                              : "Room reassigned from draining server",
             {{"room_id", booking.room}, {"old_server", decision.leaves}, {"new_server", *holder}});
  } else if (holder) {
    log_info("Assigned room to server", {{"room_id", booking.room},
                                         {"gateway_name", *holder},
                                         {"country_code", booking.country},
                                         {"regional_match", decision.regional_match}});
  }
  booking.claim->settle(holder);
}

// Under the lock.
void Desk::count(const Booking& booking, bool granted) {
  if (granted) (booking.replaces ? counts_.moved : counts_.created)[booking.by].add();
  const domain::Ledger::Room* room = ledger_.find(booking.room);
  if (!granted && booking.replaces && !(room && room->held)) counts_.removed[RemovedBy::mode_change].add();
  if (!granted || booking.by != AssignedBy::answer) return;
  const RegionalMatch without = booking.has_region ? RegionalMatch::miss : RegionalMatch::no_region;
  counts_.regional[booking.decision.regional_match ? RegionalMatch::match : without].add();
}

void Desk::pass_on_changes() {
  // In legacy mode sessions are counted in memory only; what ends an assignment there is an operator's
  // word, and is written.
  const bool scale = policy_ && policy_->options().scale;
  for (domain::Change& change : ledger_.take_changes()) {
    if (auto* row = std::get_if<domain::Assignment>(&change)) {
      journal_.note_assignment(std::move(*row));
    } else if (auto* gone = std::get_if<domain::AssignmentGone>(&change)) {
      journal_.note_assignment_removed(std::move(gone->room_id));
    } else if (auto* failover = std::get_if<domain::Failover>(&change)) {
      journal_.note_failover(std::move(*failover));
    } else if (auto* over = std::get_if<domain::FailoverGone>(&change)) {
      journal_.note_failover_gone(std::move(over->gateway_name));
    } else if (!scale) {
      continue;
    } else if (auto* session = std::get_if<domain::Session>(&change)) {
      journal_.note_session(std::move(*session));
    } else {
      journal_.note_session_gone(std::move(std::get<domain::SessionGone>(change).session_id));
    }
  }
}

}  // namespace app
