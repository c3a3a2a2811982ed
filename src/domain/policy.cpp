#include "domain/policy.h"

#include <utility>

namespace domain {

Policy::Policy(Options options, std::shared_ptr<const Catalogue> catalogue, GatewayNumbers& gateways)
    : options_(std::move(options)), catalogue_(std::move(catalogue)), placement_(options_, *catalogue_, gateways) {
  for (const Pin& pin : options_.pins) {
    pins_.emplace(pin.room_id, &pin);
    gateways.number(pin.gateway);
  }
  for (const std::string& standby : options_.standby_servers) gateways.number(standby);
  for (const Gateway& gateway : catalogue_->gateways()) {
    const GatewayId id = gateways.number(gateway.name);
    if (gateway.evacuating && gateway.draining) emptied_.insert(id);
  }
}

const std::string* Policy::pin(const RoomId& room) const {
  const auto it = pins_.find(room);
  return it == pins_.end() ? nullptr : &it->second->gateway;
}

bool Policy::admits(const RoomId& room) const {
  if (const Room* known = catalogue_->room(room)) return known->is_open();
  return options_.scale && options_.unknown_rooms == UnknownRooms::accept;
}

const Gateway* Policy::legacy_gateway(const Room& room) const {
  if (const std::string* name = pin(room.gateway_uid)) {
    const Gateway* gateway = catalogue_->gateway(*name);
    return gateway && gateway->serves_rooms() ? gateway : nullptr;
  }
  return catalogue_->default_gateway(room);
}

}  // namespace domain
