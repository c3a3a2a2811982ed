#include "app/listings.h"

#include <algorithm>
#include <map>

#include "app/for_each_room.h"
#include "app/splits.h"

namespace app {
namespace {

// So many rooms are looked at in one view.
constexpr std::size_t slice = 1000;
constexpr std::size_t splits_per_slice = 128;

RoomListing listing_of(const Registry::View& view, const domain::RoomId& room) {
  const domain::Policy& policy = view.policy();
  RoomListing listing;
  listing.room = room;
  if (const domain::Room* known = policy.catalogue().room(room)) {
    if (!known->name.empty()) listing.name = known->name;
    if (known->default_gateway_id) {
      const domain::Gateway* gateway = policy.catalogue().gateway_by_id(*known->default_gateway_id);
      if (gateway) listing.default_gateway = gateway->name;
    }
  }
  listing.janus = standing_gateway(policy, view.ledger(), room);
  const domain::Ledger::Room* entry = view.ledger().find(room);
  if (!entry) return listing;
  listing.users = entry->all_users();
  if (const auto* granted = entry->granted()) {
    listing.assigned_at = granted->assigned_at;
    listing.last_used_at = granted->last_used_at;
  }
  return listing;
}

// Live sessions by gateway, where their rooms are answered; those at other sidecars too.
std::map<std::string, std::int64_t> users_by_gateway(Registry& registry) {
  std::map<std::string, std::int64_t> users;
  for_each_room<const Registry::View>(registry, slice, [&](const Registry::View& view, const auto& room) {
    if (room.second.all_users() == 0) return;
    const auto gateway = standing_gateway(view.policy(), view.ledger(), room.first);
    if (gateway) users[*gateway] += static_cast<std::int64_t>(room.second.all_users());
  });
  return users;
}

GatewayListing listing_of(const Registry::View& view, const domain::Gateway& gateway,
                          const std::map<std::string, std::int64_t>& users) {
  const domain::Policy& policy = view.policy();
  const domain::GatewayId id = view.ledger().gateways().require(gateway.name);
  GatewayListing listing;
  listing.name = gateway.name;
  if (!gateway.url.empty()) listing.url = gateway.url;
  listing.type = gateway.type;
  listing.state = view.health().state(id);
  listing.available = policy.placement().is_available(gateway.name);
  listing.disabled = gateway.disabled;
  listing.draining = gateway.draining;
  listing.regions = policy.placement().regions_of(gateway.name);
  listing.rooms = view.ledger().rooms_on(id);
  const auto here = users.find(gateway.name);
  listing.users = here == users.end() ? 0 : here->second;
  listing.load = policy.placement().load_of(id, view.input().loads());
  listing.capacity = capacity_of(gateway, view.options());
  return listing;
}

}  // namespace

std::vector<GatewayListing> list_gateways(Registry& registry) {
  const std::map<std::string, std::int64_t> users = users_by_gateway(registry);
  const Registry::View view(registry);
  const domain::Catalogue& catalogue = view.policy().catalogue();
  std::vector<GatewayListing> listings;
  for (const domain::Gateway& gateway : catalogue.gateways()) {
    const domain::GatewayId id = view.ledger().gateways().require(gateway.name);
    if (!gateway.removed || view.ledger().rooms_on(id) > 0) listings.push_back(listing_of(view, gateway, users));
  }
  // Those whose rows are gone.
  for (std::size_t i = 0; i < view.ledger().rooms_by_gateway().size(); ++i) {
    const auto id = domain::GatewayId(i);
    domain::Gateway gateway;
    gateway.name = view.ledger().name_of(id);
    const bool is_gone = view.ledger().rooms_on(id) > 0 && !catalogue.gateway(gateway.name);
    if (is_gone) listings.push_back(listing_of(view, gateway, users));
  }
  return listings;
}

// Rooms that are in use without being known (unknown_rooms = "accept") stand among the others.
Page<RoomListing> list_rooms(Registry& registry, const domain::RoomId& after, std::size_t limit) {
  Page<RoomListing> page;
  domain::RoomId last = after;
  for (bool end = false; !end && !page.more; registry.pause_between_slices()) {
    const Registry::View view(registry);
    const domain::Policy& policy = view.policy();
    const auto& known = policy.catalogue().rooms();
    const auto& used = view.ledger().rooms();
    auto a =
        std::upper_bound(known.begin(), known.end(), last,
                         [](const domain::RoomId& uid, const domain::Room& room) { return uid < room.gateway_uid; });
    auto b = used.upper_bound(last);
    for (std::size_t looked = 0; (a != known.end() || b != used.end()) && looked < slice; ++looked) {
      const bool is_known = b == used.end() || (a != known.end() && a->gateway_uid <= b->first);
      const bool is_used = a == known.end() || (b != used.end() && b->first <= a->gateway_uid);
      const domain::RoomId& room = is_known ? a->gateway_uid : b->first;
      const bool is_listed = is_known ? a->is_open() : policy.admits(room);
      if (is_listed && page.items.size() == limit) {
        page.more = true;
        break;
      }
      if (is_listed) page.items.push_back(listing_of(view, room));
      last = room;
      if (is_known) ++a;
      if (is_used) ++b;
    }
    end = a == known.end() && b == used.end();
  }
  return page;
}

std::optional<RoomListing> find_room(Registry& registry, const domain::RoomId& room) {
  const Registry::View view(registry);
  if (!view.policy().admits(room)) return std::nullopt;
  return listing_of(view, room);
}

Page<AssignmentListing> list_assignments(Registry& registry, const domain::RoomId& after, std::size_t limit,
                                         std::optional<std::string_view> gateway) {
  Page<AssignmentListing> page;
  domain::RoomId last = after;
  for (bool end = false; !end && !page.more; registry.pause_between_slices()) {
    const Registry::View view(registry);
    const domain::Ledger& ledger = view.ledger();
    auto room = ledger.rooms().upper_bound(last);
    for (std::size_t looked = 0; room != ledger.rooms().end() && looked < slice; ++room, ++looked) {
      const auto* granted = room->second.granted();
      const bool wanted = granted && (!gateway || ledger.name_of(granted->gateway) == *gateway);
      if (wanted && page.items.size() == limit) {
        page.more = true;
        break;
      }
      if (wanted) page.items.push_back({ledger.assignment(room->first, *granted), room->second.all_users()});
      last = room->first;
    }
    end = room == ledger.rooms().end();
  }
  return page;
}

std::vector<SplitListing> list_splits(Registry& registry) {
  std::vector<SplitListing> listings;
  domain::RoomId last;
  for (bool more = true; more; registry.pause_between_slices()) {
    const Registry::View view(registry);
    auto split = view.splits().upper_bound(last);
    for (std::size_t looked = 0; split != view.splits().end() && looked < splits_per_slice; ++split, ++looked) {
      const domain::RoomId& room = last = split->first;
      SplitListing listing{room, standing_gateway(view.policy(), view.ledger(), room), {}, split->second.since};
      for (const auto& [gateway, users] : parts_of(view, room)) listing.parts.push_back({gateway, users});
      listings.push_back(std::move(listing));
    }
    more = split != view.splits().end();
  }
  return listings;
}

}  // namespace app
