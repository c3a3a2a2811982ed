// The gateways that rooms are moved away from, since they are lost or drained, and how far that is. Plain bookkeeping:
// domain/decision.h decides who moves. Not thread-safe: the ledger's owner holds the lock. Nothing fails.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "domain/gateway_numbers.h"

namespace domain {

struct Evacuation {
  std::optional<GatewayId> standby;  // which takes all of them
  std::int64_t moved = 0;            // rooms, since it began or since the start
  std::set<GatewayId> taken_by;
  bool is_complete_logged = false;
};

class Evacuations {
 public:
  const std::map<GatewayId, Evacuation>& all() const { return by_gateway_; }
  const Evacuation* find(GatewayId gateway) const;

  // Begins it, or gives it another standby. True: that is to be written.
  bool begin(GatewayId gateway, std::optional<GatewayId> standby);
  // A room was moved from there.
  void note_move(GatewayId from, GatewayId to);
  void mark_complete(GatewayId gateway) { by_gateway_.at(gateway).is_complete_logged = true; }
  // False if there was none.
  bool end(GatewayId gateway) { return by_gateway_.erase(gateway) > 0; }

 private:
  std::map<GatewayId, Evacuation> by_gateway_;
};

}  // namespace domain
