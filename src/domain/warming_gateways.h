// Which gateways are so new that all sidecars of a fleet would send every new room there at once: a new one is
// empty, and least loaded for all of them. Not thread-safe: its owner holds the ledger's lock. Time comes in
// as an argument and must not go backwards. Nothing fails.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "domain/placement.h"
#include "domain/time.h"

namespace domain {

class WarmingGateways {
 public:
  // A gateway counts as new for this time. By then all sidecars know of it, and have seen what it was given.
  static constexpr Duration warm_up = std::chrono::minutes(1);

  // These are the candidates from now on (Placement::candidates). One that was not among the last ones is new,
  // also if it had been there before: drained for a while it has become empty. Where none was there before,
  // as at the start, none is new: nobody is fuller than they.
  void look(const std::vector<GatewayId>& candidates, ServiceTime now);

  bool any(ServiceTime now) const { return last_came_ && now - *last_came_ < warm_up; }

 private:
  std::map<GatewayId, std::optional<ServiceTime>> came_;  // nothing: was there at the start
  std::optional<ServiceTime> last_came_;                  // of those that are there
};

}  // namespace domain
