// What has become of the rooms that were asked for. Any thread.
#pragma once

#include "counts/counter.h"
#include "domain/placement.h"

namespace app {

// What led to an assignment: a user asked for the room, a session was reported in it, participants
// were found on a gateway, its gateway was lost or is being emptied, scale mode began with users in
// it.
enum class AssignedBy { answer, report, gateways, failover, drain, mode_change };
// What ended one: its last user left, the cleaning, an operator's release, the room is no longer
// admitted, scale mode began and the new assignment of an occupied room could not be written.
enum class RemovedBy { leave, cleaning, release, not_admitted, mode_change };
// Is the gateway of a user's new room in the user's region? `no_region`: the country has none.
enum class RegionalMatch { match, miss, no_region };

// What a session report may name that is no id.
enum class InvalidId { room, session };

struct RoomCounts {
  counts::CounterBy<domain::Reason, domain::Reason::reassigned> answers;
  counts::CounterBy<domain::Refusal, domain::Refusal::storage_unavailable> refusals;
  // For session reports; each one in a snapshot counts.
  counts::CounterBy<domain::Refusal, domain::Refusal::too_many_sessions> session_refusals;
  counts::CounterBy<InvalidId, InvalidId::session> invalid_reports;
  counts::CounterBy<RegionalMatch, RegionalMatch::no_region> regional;
  counts::CounterBy<AssignedBy, AssignedBy::mode_change> created;
  counts::CounterBy<AssignedBy, AssignedBy::mode_change> moved;  // to another gateway, or decided anew
  counts::CounterBy<RemovedBy, RemovedBy::mode_change> removed;
};

}  // namespace app
