#include "domain/gateway_numbers.h"

namespace domain {

GatewayId GatewayNumbers::number(std::string_view gateway) {
  if (const auto known = find(gateway)) return *known;
  const auto [it, is_new] = ids_.emplace(gateway, GatewayId(names_.size()));
  names_.push_back(&it->first);
  return it->second;
}

std::optional<GatewayId> GatewayNumbers::find(std::string_view gateway) const {
  const auto it = ids_.find(gateway);
  return it == ids_.end() ? std::nullopt : std::optional(it->second);
}

GatewayId GatewayNumbers::require(std::string_view gateway) const { return find(gateway).value(); }

}  // namespace domain
