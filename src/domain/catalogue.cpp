#include "domain/catalogue.h"

#include <algorithm>

namespace domain {
namespace {

template <typename Map, typename Key>
auto found(const Map& map, const Key& key) -> typename Map::mapped_type {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : it->second;
}

}  // namespace

Catalogue::Catalogue(std::vector<Gateway> gateways, std::vector<Room> rooms)
    : gateways_(std::move(gateways)), rooms_(std::move(rooms)) {
  std::sort(gateways_.begin(), gateways_.end(), [](const Gateway& a, const Gateway& b) { return a.id < b.id; });
  std::sort(rooms_.begin(), rooms_.end(), [](const Room& a, const Room& b) { return a.gateway_uid < b.gateway_uid; });
  by_uid_.reserve(rooms_.size());
  for (const Gateway& gateway : gateways_) {
    by_name_.emplace(gateway.name, &gateway);
    by_id_.emplace(gateway.id, &gateway);
  }
  for (const Room& room : rooms_) by_uid_.emplace(room.gateway_uid, &room);
}

const Gateway* Catalogue::gateway(std::string_view name) const { return found(by_name_, name); }

const Gateway* Catalogue::gateway_by_id(RowId id) const { return found(by_id_, id); }

const Room* Catalogue::room(const RoomId& gateway_uid) const { return found(by_uid_, gateway_uid); }

const Gateway* Catalogue::default_gateway(const Room& room) const {
  if (!room.default_gateway_id) return nullptr;
  const Gateway* gateway = gateway_by_id(*room.default_gateway_id);
  return gateway && gateway->serves_rooms() ? gateway : nullptr;
}

}  // namespace domain
