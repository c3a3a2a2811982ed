// Grants claims: one room, one gateway. The interface between deciding and the authority that grants: the local
// journal (app/journal_claims.h), or a store that many sidecars share (cluster/fleet.h).
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "domain/assignment.h"
#include "domain/catalogue.h"
#include "domain/decision.h"

namespace app {

// What is asked for a room.
struct ClaimRequest {
  enum class Kind {
    first,    // it has no assignment
    moved,    // off the gateway that it is on, occupied or not
    instead,  // of the assignment that it has, provided that nobody is in the room elsewhere
  };
  domain::Assignment row;
  Kind kind = Kind::first;
  std::string leaves;                         // moved, instead: the gateway that it is on
  std::optional<std::string> standby;         // moved: the one that takes all rooms from there
  std::optional<std::string> standby_before;  // moved: the one that was known to, when this was decided
  bool is_used_here = true;                   // false: it is moved for others' sake
};

// What came of a claim.
enum class ClaimOutcome {
  won,        // its row holds the room from now on, durably
  lost,       // another sidecar's row does
  retry,      // it was decided on what is no longer so: decide anew
  failed,     // that could not be made sure
  timed_out,  // the caller's deadline came first; only what Claim::wait_until returns
};

struct Grant {
  ClaimOutcome outcome = ClaimOutcome::failed;
  domain::Assignment row{};  // won, lost: the one that holds the room
};

// How a room is used here, for the other sidecars; `announced` is called once they can know, or if that must wait.
struct UseAnnouncement {
  domain::RoomUse use;
  std::function<void()> announced;
};

class Claims {
 public:
  using Settled = std::function<void(const Grant& grant)>;
  using Ended = std::function<void(bool ended)>;
  using Deadline = std::chrono::steady_clock::time_point;
  enum class Released { done, in_use, unavailable };

  virtual ~Claims() = default;

  // --- under the registry's lock; none of them blocks

  // `settled` is called once, later, from another thread.
  virtual void claim(ClaimRequest request, Settled settled) = 0;
  // The room is not used here any more. True: its assignment ends now. Else another sidecar may use it: `ended` is
  // called once, later, from another thread, and by then the ledger is up to date.
  virtual bool give_up(const domain::RoomId& room, Ended ended) = 0;
  // How these are used here from now on, to be announced to the other sidecars (Ledger::announce_uses).
  virtual void use(std::vector<UseAnnouncement> uses) = 0;
  // No more rooms are moved away from the gateway.
  virtual void end_evacuation(const std::string& gateway) = 0;
  // How far what is known of other sidecars can be relied on.
  virtual domain::StoreView store_view() const = 0;

  // --- any thread, with the registry's lock or without

  // How long a request waits for a claim before it is refused with 503.
  virtual std::chrono::milliseconds patience() const = 0;

  // --- without the registry's lock; these block until it is durable, or, with a shared store, until about the deadline

  // The operator's release. `force`: also while the room is in use.
  virtual Released release(const domain::RoomId& room, bool force, Deadline deadline) = 0;
  // Publishes it to every sidecar; false if that cannot be done now.
  virtual bool share_draining(const std::string& gateway, domain::Draining draining, Deadline deadline) = 0;
};

}  // namespace app
