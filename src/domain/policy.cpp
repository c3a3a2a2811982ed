#include "domain/policy.h"

#include <utility>

namespace domain {

Policy::Policy(Options options, std::shared_ptr<const Catalogue> catalogue, const Placement::Numbering& number_of)
    : options_(std::move(options)), catalogue_(std::move(catalogue)), placement_(options_, *catalogue_, number_of) {
  for (const Pin& pin : options_.pins) pins_.emplace(pin.room_id, &pin);
  for (const Gateway& gateway : catalogue_->gateways()) {
    if (gateway.evacuating && gateway.draining) emptied_.insert(number_of(gateway.name));
  }
}

const std::string* Policy::pin(std::string_view room) const {
  const auto it = pins_.find(room);
  return it == pins_.end() ? nullptr : &it->second->gateway;
}

bool Policy::admits(std::string_view room) const {
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
