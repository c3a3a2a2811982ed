// The central state behind one lock: the ledger, the policy in force and the claims under way. A command
// (answer_room.h, report_session.h, …) opens a Transaction, or a View if it changes nothing, reads, decides and ends it.
// Neither is held over I/O or while waiting.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>

#include "app/claim.h"
#include "app/claims.h"
#include "app/claims_in_flight.h"
#include "app/clock.h"
#include "app/decision_log.h"
#include "app/decision_notes.h"
#include "app/log_limits.h"
#include "app/report_quarantine.h"
#include "app/room_counts.h"
#include "app/use_announcer.h"
#include "domain/arrival_rate.h"
#include "domain/decision.h"
#include "domain/ledger.h"
#include "domain/policy.h"
#include "domain/room_id.h"
#include "domain/warming_gateways.h"
#include "locks/mutex.h"

namespace store {
class Journal;
}

namespace app {

// A room whose users are not all on the gateway that it is answered with (app/splits.h).
struct Split {
  domain::WallTime since;
  bool by_lists = false;
  bool by_sessions = false;
  bool is_logged = false;
};

class Registry {
  struct State;

 public:
  Registry(Clock& clock, Claims& claims, store::Journal& journal) : clock_(clock), claims_(claims), journal_(journal) {}
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The lock, with what may be read under it. Nothing changes and nothing is passed on. Sessions that fell silent count,
  // and a gateway in slow start pauses, until the next transaction, which housekeeping makes twice a second.
  class SCOPED_CAPABILITY View {
   public:
    explicit View(Registry& registry) ACQUIRE(registry.mutex_);
    ~View() RELEASE() = default;
    View(const View&) = delete;
    View& operator=(const View&) = delete;

    const domain::Ledger& ledger() const { return state_.ledger; }
    const domain::Policy& policy() const { return *state_.policy; }
    const domain::Options& options() const { return state_.policy->options(); }
    const domain::GatewayHealth& health() const { return state_.health; }
    const std::map<domain::RoomId, Split>& splits() const { return state_.splits; }
    domain::Moment now() const { return now_; }
    // What decisions are made from, without a chance: for what chooses nothing.
    domain::DecisionInput input() const;

   protected:
    Registry& registry_;
    locks::MutexLock lock_;
    domain::Moment now_;

   private:
    const State& state_;
  };

  // The lock, with what may be changed under it. When it ends, what changed goes to the journal.
  class SCOPED_CAPABILITY Transaction : public View {
   public:
    explicit Transaction(Registry& registry) ACQUIRE(registry.mutex_);
    ~Transaction() RELEASE();

    domain::Ledger& ledger() { return state_.ledger; }
    domain::GatewayHealth& health() { return state_.health; }
    std::map<domain::RoomId, Split>& splits() { return state_.splits; }
    ReportQuarantine& quarantine() { return state_.quarantine; }
    ClaimsInFlight& claims_in_flight() { return state_.claims_in_flight; }
    LogLimits& log_limits() { return state_.log_limits; }
    DecisionNotes& decision_notes() { return notes_; }
    Registry& registry() { return registry_; }
    RoomCounts& counts() { return registry_.counts_; }
    // What the next decision is made from.
    domain::DecisionInput input();

    // A room was assigned, here or by another sidecar.
    void arrived() { state_.arrivals.arrived(now_.service); }
    // Sessions have been silent for dead_after that still count as live: each transaction takes only some of them.
    bool is_behind() const { return is_behind_; }
    // While the use of the room is being announced: until then another sidecar may take it for empty.
    std::shared_ptr<Completion> announcing(const domain::RoomId& room);
    // What has changed so far goes to the journal now, so that what follows is written with it or after it.
    void pass_on_changes() { pass_on(std::nullopt); }
    // To be written together with what has changed in this transaction.
    void note(domain::Fact fact) { fact_ = std::move(fact); }
    // For changes of policy only (app/change_policy.h).
    void replace_policy(std::shared_ptr<const domain::Policy> policy);

   private:
    void pass_on(std::optional<domain::Fact> fact);

    State& state_;
    DecisionNotes notes_;
    std::optional<domain::Fact> fact_;
    bool is_behind_ = false;
  };

  // A pause between two transactions of one long piece of work, for requests to get lock and processor.
  void pause_between_slices();

  // For a request, which is refused unless the claim is granted by then; a refusal is recorded at once.
  ClaimOutcome wait_for(Claim& claim, Claim::Deadline deadline);

  // Any thread, without a transaction.
  RoomCounts& counts() { return counts_; }
  DecisionLog& decision_log() { return decision_log_; }

  Claims& claims() { return claims_; }
  // When a request that comes now is refused, if its claim is not granted.
  Claim::Deadline deadline() const { return std::chrono::steady_clock::now() + claims_.patience(); }

  // The policy in force; the pointer stays valid when another one replaces it.
  std::shared_ptr<const domain::Policy> policy() const;

 private:
  struct State {
    domain::Ledger ledger;
    domain::GatewayHealth health;
    domain::ArrivalRate arrivals;
    domain::WarmingGateways warming;
    std::mt19937_64 chance{std::random_device{}()};
    std::shared_ptr<const domain::Policy> policy;
    ClaimsInFlight claims_in_flight;
    UseAnnouncer use_announcer;
    ReportQuarantine quarantine;
    std::map<domain::RoomId, Split> splits;
    LogLimits log_limits;
  };

  Clock& clock_;
  Claims& claims_;
  store::Journal& journal_;
  DecisionLog decision_log_;
  RoomCounts counts_;
  mutable locks::Mutex mutex_;
  State state_ GUARDED_BY(mutex_);
};

}  // namespace app
