#include "app/registry.h"

#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "store/journal.h"

namespace app {
namespace {

// If more fall silent at once, as when the signaling server is gone, the rest do at the next transactions.
constexpr std::size_t expired_per_transaction = 256;

}  // namespace

Registry::View::View(Registry& registry)
    : registry_(registry), lock_(registry.mutex_), now_(registry.clock_.now()), state_(registry.state_) {}

domain::DecisionInput Registry::View::input() const {
  return {*state_.policy, state_.ledger, state_.health, now_.service, registry_.claims_.store_view()};
}

Registry::Transaction::Transaction(Registry& registry) : View(registry), state_(registry.state_) {
  if (state_.policy) {
    is_behind_ = state_.ledger.expire(now_.service, state_.policy->options().dead_after, expired_per_transaction);
  }
  state_.health.refresh(now_.service);
}

Registry::Transaction::~Transaction() {
  pass_on(std::move(fact_));
  if (notes_.empty()) return;
  lock_.unlock();
  notes_.record(registry_.decision_log_);
}

// Where all see the same picture, all would choose the same gateway; so what they cannot have seen yet counts.
domain::DecisionInput Registry::Transaction::input() {
  using Selection = domain::Placement::Selection;
  domain::DecisionInput input = View::input();
  Selection& selection = input.store_view.selection;
  if (selection == Selection::least_loaded) return input;
  input.chance = state_.chance();
  const bool herds = state_.arrivals.is_burst(now_.service) || state_.warming.any(now_.service);
  if (selection == Selection::random_ties && herds) selection = Selection::two_choices;
  return input;
}

std::shared_ptr<Completion> Registry::Transaction::announcing(const domain::RoomId& room) {
  if (!ledger().announces_uses()) return nullptr;
  state_.use_announcer.announce(ledger(), registry_.claims_, registry_);
  return registry_.claims_.store_view().may_claim ? state_.use_announcer.announcing(room) : nullptr;
}

void Registry::Transaction::replace_policy(std::shared_ptr<const domain::Policy> policy) {
  state_.policy = std::move(policy);
  state_.warming.look(state_.policy->placement().candidates(), now_.service);
}

void Registry::Transaction::pass_on(std::optional<domain::Fact> fact) {
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
  if (fact) changes.emplace_back(*std::move(fact));
  registry_.journal_.note(std::move(changes));
  state_.use_announcer.announce(ledger(), registry_.claims_, registry_);
}

ClaimOutcome Registry::wait_for(Claim& claim, Claim::Deadline deadline) {
  const ClaimOutcome outcome = claim.wait_until(deadline);
  if (outcome != ClaimOutcome::timed_out) return outcome;
  if (auto refused = claim.give_up()) decision_log_.add(std::move(*refused));
  return outcome;
}

void Registry::pause_between_slices() {
  // The lock is not fair: a thread that asks again at once gets it before those that it would have to wake. And on
  // a small machine the work would keep a processor until the scheduler's slice of some 4 ms ends.
  std::this_thread::sleep_for(std::chrono::microseconds{100});
}

std::shared_ptr<const domain::Policy> Registry::policy() const {
  const locks::MutexLock lock(mutex_);
  return state_.policy;
}

}  // namespace app
