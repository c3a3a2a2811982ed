// Twelve gateways with their rooms and users. The bookkeeping is the sidecar's own: ledger, health and
// placement of src/domain; the rest is for the other rules only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "day.h"
#include "domain/gateway_health.h"
#include "domain/ledger.h"
#include "domain/placement.h"

namespace simulator {

struct Fleet {
  explicit Fleet(const domain::Options& options) {
    std::vector<domain::Gateway> rows;
    for (int i = 1; i <= gateways; ++i) {
      domain::Gateway gateway;
      gateway.id = domain::RowId(i);
      gateway.name = "gxy" + std::to_string(i);
      numbers.push_back(ledger.number_of(gateway.name));
      rows.push_back(gateway);
    }
    placement.emplace(options, domain::Catalogue(rows, {}), ledger.gateways());
    health.watch(options.health, numbers);
    if (options.load_by == domain::LoadBy::sessions) ledger.count_excess_users(options.avg_room_occupancy);
  }

  domain::Moment now() const {
    const std::chrono::seconds time{second};
    return {domain::ServiceTime{} + time, domain::WallTime{} + time};
  }
  bool is_up(domain::GatewayId gateway) const { return health.state(gateway) != domain::GatewayState::down; }

  domain::Ledger ledger;
  domain::GatewayHealth health;
  std::optional<domain::Placement> placement;
  std::vector<domain::GatewayId> numbers;                                    // 0 to 11
  std::vector<std::int64_t> users = std::vector<std::int64_t>(gateways);     // now
  std::vector<std::int64_t> measured = std::vector<std::int64_t>(gateways);  // up to 10 s ago
  std::vector<bool> dead = std::vector<bool>(gateways);                      // whether that is known or not
  int second = 0;
};

}  // namespace simulator
