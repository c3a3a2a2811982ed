#include "domain/evacuations.h"

namespace domain {

const Evacuation* Evacuations::find(GatewayId gateway) const {
  const auto it = by_gateway_.find(gateway);
  return it == by_gateway_.end() ? nullptr : &it->second;
}

bool Evacuations::begin(GatewayId gateway, std::optional<GatewayId> standby) {
  const auto [it, is_new] = by_gateway_.try_emplace(gateway);
  Evacuation& evacuation = it->second;
  if (evacuation.is_complete_logged) {  // a new wave
    const std::optional<GatewayId> before = evacuation.standby;
    evacuation = {};
    evacuation.standby = before;
  }
  if (!is_new && evacuation.standby == standby) return false;
  evacuation.standby = standby;
  return true;
}

void Evacuations::note_move(GatewayId from, GatewayId to) {
  const auto it = by_gateway_.find(from);
  if (it == by_gateway_.end()) return;
  ++it->second.moved;
  it->second.taken_by.insert(to);
}

}  // namespace domain
