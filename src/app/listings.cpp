#include "app/listings.h"

#include <algorithm>
#include <map>

#include "app/rooms_heard.h"

namespace app {
namespace {

// So many rooms are looked at in one turn.
constexpr std::size_t slice = 1000;

RoomListing listing_of(Desk::Turn& turn, const std::string& room) {
  const domain::Policy& policy = turn.policy();
  RoomListing listing;
  listing.room = room;
  if (const domain::Room* known = policy.catalogue().room(room)) {
    if (!known->name.empty()) listing.name = known->name;
    if (known->default_gateway_id) {
      const domain::Gateway* gateway = policy.catalogue().gateway_by_id(*known->default_gateway_id);
      if (gateway) listing.default_gateway = gateway->name;
    }
  }
  listing.janus = standing_gateway(policy, turn.ledger(), room);
  const domain::Ledger::Room* entry = turn.ledger().find(room);
  if (!entry) return listing;
  listing.users = entry->users;
  if (const auto* granted = entry->granted()) {
    listing.assigned_at = granted->assigned_at;
    listing.last_used_at = granted->last_used_at;
  }
  return listing;
}

// Live sessions by gateway, where their rooms are answered.
std::map<std::string, std::int64_t> users_by_gateway(Desk& desk) {
  std::map<std::string, std::int64_t> users;
  std::string last;
  for (bool more = true; more; desk.let_others_pass()) {
    Desk::Turn turn(desk);
    const auto& rooms = turn.ledger().rooms();
    auto room = rooms.upper_bound(last);
    for (std::size_t looked = 0; room != rooms.end() && looked < slice; ++room, ++looked) {
      last = room->first;
      if (!room->second.has_users()) continue;
      const auto gateway = standing_gateway(turn.policy(), turn.ledger(), room->first);
      if (gateway) users[*gateway] += static_cast<std::int64_t>(room->second.users);
    }
    more = room != rooms.end();
  }
  return users;
}

}  // namespace

std::vector<GatewayListing> list_gateways(Desk& desk) {
  const std::map<std::string, std::int64_t> users = users_by_gateway(desk);
  Desk::Turn turn(desk);
  const domain::Policy& policy = turn.policy();
  domain::Ledger& ledger = turn.ledger();
  std::vector<GatewayListing> listings;
  for (const domain::Gateway& gateway : policy.catalogue().gateways()) {
    if (gateway.removed) continue;
    const domain::GatewayNumber number = ledger.number_of(gateway.name);
    GatewayListing listing;
    listing.name = gateway.name;
    if (!gateway.url.empty()) listing.url = gateway.url;
    listing.type = gateway.type;
    listing.state = turn.health().state(number);
    listing.available = policy.placement().is_available(gateway.name);
    listing.disabled = gateway.disabled;
    listing.draining = gateway.draining;
    listing.regions = policy.placement().regions_of(gateway.name);
    listing.rooms = ledger.rooms_by_gateway()[number];
    const auto here = users.find(gateway.name);
    listing.users = here == users.end() ? 0 : here->second;
    listing.load = policy.placement().load_of(number, turn.situation().scene());
    listing.capacity = gateway.capacity ? *gateway.capacity : turn.options().max_server_capacity;
    listings.push_back(std::move(listing));
  }
  return listings;
}

Page<RoomListing> list_rooms(Desk& desk, std::string_view after, std::size_t limit) {
  Desk::Turn turn(desk);
  const domain::Policy& policy = turn.policy();
  const auto& known = policy.catalogue().rooms();
  auto a = std::upper_bound(known.begin(), known.end(), after,
                            [](std::string_view uid, const domain::Room& room) { return uid < room.gateway_uid; });
  // Rooms that are in use without being known (unknown_rooms = "accept") stand among the others.
  const auto& used = turn.ledger().rooms();
  auto b = used.upper_bound(after);
  const auto skip = [&] {
    while (a != known.end() && !a->is_open()) ++a;
    while (b != used.end() && (policy.catalogue().room(b->first) || !policy.admits(b->first))) ++b;
  };
  Page<RoomListing> page;
  for (skip(); a != known.end() || b != used.end(); skip()) {
    if (page.items.size() == limit) {
      page.more = true;
      break;
    }
    const bool from_known = b == used.end() || (a != known.end() && a->gateway_uid < b->first);
    page.items.push_back(listing_of(turn, from_known ? a->gateway_uid : b->first));
    from_known ? void(++a) : void(++b);
  }
  return page;
}

std::optional<RoomListing> find_room(Desk& desk, std::string_view room) {
  Desk::Turn turn(desk);
  if (!turn.policy().admits(room)) return std::nullopt;
  return listing_of(turn, std::string(room));
}

Page<AssignmentListing> list_assignments(Desk& desk, std::string_view after, std::size_t limit,
                                         std::optional<std::string_view> gateway) {
  Page<AssignmentListing> page;
  std::string last(after);
  for (bool end = false; !end && !page.more; desk.let_others_pass()) {
    Desk::Turn turn(desk);
    const domain::Ledger& ledger = turn.ledger();
    auto room = ledger.rooms().upper_bound(last);
    for (std::size_t looked = 0; room != ledger.rooms().end() && looked < slice; ++room, ++looked) {
      const auto* granted = room->second.granted();
      const bool wanted = granted && (!gateway || ledger.name_of(granted->gateway) == *gateway);
      if (wanted && page.items.size() == limit) {
        page.more = true;
        break;
      }
      if (wanted) page.items.push_back({ledger.assignment(room->first, *granted), room->second.users});
      last = room->first;
    }
    end = room == ledger.rooms().end();
  }
  return page;
}

std::vector<SplitListing> list_splits(Desk& desk) {
  std::vector<SplitListing> listings;
  Desk::Turn turn(desk);
  const domain::Ledger& ledger = turn.ledger();
  for (const auto& [room, since] : turn.splits()) {
    SplitListing listing{room, standing_gateway(turn.policy(), ledger, room), {}, since};
    for (const auto& presence : presences_of(turn, room)) {
      listing.parts.push_back({ledger.name_of(presence.gateway), presence.participants});
    }
    std::sort(listing.parts.begin(), listing.parts.end(),
              [](const auto& a, const auto& b) { return a.gateway < b.gateway; });
    listings.push_back(std::move(listing));
  }
  return listings;
}

}  // namespace app
