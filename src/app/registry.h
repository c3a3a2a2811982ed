// The central state behind one lock: the ledger, the policy in force and the claims under way. A command
// (answer_room.h, report_session.h, …) opens a Transaction, reads, decides and ends it. No transaction is held over I/O
// or while waiting.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "app/claim.h"
#include "app/claims.h"
#include "app/clock.h"
#include "app/decisions.h"
#include "app/report_quarantine.h"
#include "app/room_counts.h"
#include "domain/arrival_rate.h"
#include "domain/decision.h"
#include "domain/ledger.h"
#include "domain/policy.h"
#include "domain/warming_gateways.h"
#include "locks/mutex.h"
#include "logging/log.h"

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
  struct Booking;
  struct State;

 public:
  Registry(Clock& clock, Claims& claims, store::Journal& journal) : clock_(clock), claims_(claims), journal_(journal) {}
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The lock, with what may be touched under it. When it ends, what changed goes to the journal.
  class SCOPED_CAPABILITY Transaction {
   public:
    explicit Transaction(Registry& registry) ACQUIRE(registry.mutex_);
    ~Transaction() RELEASE();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    domain::Ledger& ledger() { return state_.ledger; }
    RoomCounts& counts() { return registry_.counts_; }
    const domain::Policy& policy() const { return *state_.policy; }
    const domain::Options& options() const { return state_.policy->options(); }
    domain::GatewayHealth& health() { return state_.health; }
    domain::DecisionInput input();
    // A room was assigned, here or by another sidecar.
    void arrived() { state_.arrivals.arrived(now_.service); }
    domain::Moment now() const { return now_; }
    // Sessions have been silent for dead_after that still count as live: each transaction takes only some of them.
    bool is_behind() const { return is_behind_; }

    // The claim under way for a room that is pending.
    std::shared_ptr<Claim> claim_for(std::string_view room) const;
    // Books what was decided and asks for it; returns the claim to wait for once the transaction is over.
    // `by`: the cause, unless the room is moved off a gateway that is being evacuated.
    std::shared_ptr<Claim> book(const domain::Question& question, const domain::Decision& decision, AssignedBy by);
    // Ends the assignment of a room that is not used here any more; or, in any case, of one that is no longer
    // admitted. Counts and logs it.
    Removal end_if_unused(std::string_view room, RemovedBy by);
    Removal end(std::string_view room, RemovedBy by);
    // While the use of the room is being announced: until then another sidecar may take it for empty.
    std::shared_ptr<Completion> announcing(std::string_view room);
    // To be written together with what has changed in this transaction.
    void note(domain::Fact fact) { fact_ = std::move(fact); }
    // Records a refusal, and returns what each gateway looked like.
    Candidates note_refusal(const domain::Question& question, const domain::Decision& decision);
    // Records that an operator released the room.
    void note_release(std::string_view room, const std::string& left);
    // For changes of policy only (app/change_policy.h).
    void replace_policy(std::shared_ptr<const domain::Policy> policy);

    ReportQuarantine& quarantine() { return state_.quarantine; }
    std::map<std::string, Split>& splits() { return state_.splits; }

    // Limits the log lines on a room that cannot be answered to one a second. `room`: its row's id.
    bool may_log_room(std::int64_t room);
    // And that there are too many sessions at most once a minute.
    bool may_log_sessions();

   private:
    friend class Registry;
    // To be recorded once the lock is released.
    struct Noted {
      DecisionRecord record;
      std::shared_ptr<Claim> claim;  // none: refused
    };
    Noted& note(std::string_view room, DecisionRecord::Asker asker);
    Noted& note(const domain::Question& question, const domain::Decision& decision);
    Candidates candidates(const domain::Question& question, const domain::Decision& decision);
    void count(const Booking& booking, bool granted);
    void announce_uses();
    void pass_on_changes(std::optional<domain::Fact> fact = std::nullopt);

    Registry& registry_;
    locks::MutexLock lock_;
    State& state_;
    domain::Moment now_;
    std::vector<Noted> noted_;
    std::optional<domain::Fact> fact_;
    bool is_behind_ = false;
  };

  // A pause between two transactions of one long piece of work, for requests to get lock and processor.
  void pause_between_slices();

  // For a request, which is refused unless the claim is granted by then; a refusal is recorded at once.
  ClaimOutcome wait_for(Claim& claim, Claim::Deadline deadline);

  // Any thread, without a transaction.
  RoomCounts& counts() { return counts_; }
  Decisions& decisions() { return decisions_; }

  Claims& claims() { return claims_; }
  // When a request that comes now is refused, if its claim is not granted.
  Claim::Deadline deadline() const { return std::chrono::steady_clock::now() + claims_.patience(); }

  // The policy in force; the pointer stays valid when another one replaces it.
  std::shared_ptr<const domain::Policy> policy() const;

 private:
  struct Booking {
    std::string room;
    std::string country;
    domain::Decision decision;
    bool answers_caller;  // the caller is answered with it
    AssignedBy by;
    bool replaces;    // another assignment of the room
    bool has_region;  // the caller's country
    std::string request_id;
    std::shared_ptr<Claim> claim;
  };

  // What a transaction may touch.
  struct State {
    domain::Ledger ledger;
    domain::GatewayHealth health;
    domain::ArrivalRate arrivals;
    domain::WarmingGateways warming;
    std::mt19937_64 chance{std::random_device{}()};
    std::shared_ptr<const domain::Policy> policy;
    std::unordered_map<std::string, std::shared_ptr<Claim>> claims_in_flight;
    std::map<std::string, std::shared_ptr<Completion>, std::less<>> announcing;
    ReportQuarantine quarantine;
    std::map<std::string, Split> splits;
    std::map<std::int64_t, std::optional<domain::ServiceTime>> room_logged_at;  // as many as there are rooms, at most
    std::optional<domain::ServiceTime> sessions_logged_at;
  };

  void settle(const Booking& booking, const Grant& grant);
  void log_end(const std::string& room, RemovedBy by);

  Clock& clock_;
  Claims& claims_;
  store::Journal& journal_;
  Decisions decisions_;
  RoomCounts counts_;
  mutable locks::Mutex mutex_;
  State state_ GUARDED_BY(mutex_);
};

}  // namespace app
