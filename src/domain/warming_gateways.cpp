#include "domain/warming_gateways.h"

#include <algorithm>
#include <utility>

namespace domain {

void WarmingGateways::look(const std::vector<GatewayId>& candidates, ServiceTime now) {
  const auto before = std::exchange(came_, {});
  last_came_.reset();
  for (const GatewayId gateway : candidates) {
    const auto known = before.find(gateway);
    std::optional<ServiceTime> came;
    if (known != before.end())
      came = known->second;
    else if (!before.empty())
      came = now;
    came_.emplace(gateway, came);
    last_came_ = std::max(last_came_, came);
  }
}

}  // namespace domain
