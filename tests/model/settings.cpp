#include "settings.h"

#include <algorithm>
#include <utility>

namespace model {
namespace {

std::optional<std::int64_t> any_capacity(Chance& chance) {
  static const std::vector<std::int64_t> capacities{5, 10, 20, 35, 50};
  if (chance.one_in(2)) return std::nullopt;
  return chance.of(capacities);
}

domain::ConfiguredGateway any_gateway(const std::string& name, Chance& chance) {
  domain::ConfiguredGateway gateway;
  gateway.name = name;
  gateway.where = "config.toml:" + name;
  gateway.capacity = any_capacity(chance);
  if (chance.one_in(6)) gateway.disabled = chance.one_in(2);
  return gateway;
}

domain::ConfiguredRoom any_room(const std::string& uid, const std::vector<std::string>& gateways, Chance& chance) {
  domain::ConfiguredRoom room;
  room.gateway_uid = domain::RoomId(uid);
  room.where = "config.toml:" + uid;
  if (!chance.one_in(8)) room.default_gateway = chance.of(gateways);
  if (chance.one_in(12)) room.disabled = chance.one_in(2);
  return room;
}

void change_gateways(app::Configured& configured, Chance& chance) {
  std::vector<domain::ConfiguredGateway> kept;
  for (int i = 1; i <= 6; ++i) {
    if (i > 3 && chance.one_in(5)) continue;
    const std::string name = "g" + std::to_string(i);
    const auto known = std::find_if(configured.gateways.begin(), configured.gateways.end(),
                                    [&](const auto& gateway) { return gateway.name == name; });
    const bool keep = known != configured.gateways.end() && !chance.one_in(3);
    kept.push_back(keep ? *known : any_gateway(name, chance));
  }
  if (chance.one_in(3)) std::swap(kept.front(), kept.back());
  configured.gateways = kept;
}

void change_rooms(app::Configured& configured, Chance& chance) {
  const std::vector<std::string> names = names_of_gateways(configured);
  std::vector<domain::ConfiguredRoom> kept;
  for (int i = 1; i <= 10; ++i) {
    if (chance.one_in(15)) continue;
    const std::string uid = "r" + std::to_string(i);
    const auto known = std::find_if(configured.rooms.begin(), configured.rooms.end(),
                                    [&](const auto& room) { return room.gateway_uid.text() == uid; });
    const bool keep = known != configured.rooms.end() && !chance.one_in(3);
    kept.push_back(keep ? *known : any_room(uid, names, chance));
  }
  configured.rooms = kept;
}

// Settings that name a removed gateway are an error, which this test does not try.
void forget_unknown_defaults(app::Configured& configured) {
  const std::vector<std::string> names = names_of_gateways(configured);
  for (domain::ConfiguredRoom& room : configured.rooms) {
    if (room.default_gateway && std::count(names.begin(), names.end(), *room.default_gateway) == 0) {
      room.default_gateway.reset();
    }
  }
}

void change_lists(app::Configured& configured, Chance& chance) {
  const std::vector<std::string> names = names_of_gateways(configured);
  domain::Options& options = configured.options;
  options.available_servers.reset();
  if (!chance.one_in(3)) options.available_servers = chance.some(names, 1);
  options.regions.clear();
  for (const char* country : {"IL", "US", "RU", "*"}) {
    if (chance.one_in(2)) options.regions.push_back({country, chance.some(names, 1), "config.toml:1"});
  }
}

void change_pins(app::Configured& configured, Chance& chance) {
  const std::vector<std::string> names = names_of_gateways(configured);
  configured.options.pins.clear();
  for (const char* room : {"r1", "r2", "r3", "r4", "x1"}) {
    if (chance.one_in(3))
      configured.options.pins.push_back({domain::RoomId(std::string(room)), chance.of(names), "config.toml:2"});
  }
}

void change_numbers(app::Configured& configured, Chance& chance) {
  domain::Options& options = configured.options;
  static const std::vector<std::int64_t> capacities{10, 20, 30, 60, 400};
  options.max_server_capacity = chance.of(capacities);
  options.avg_room_occupancy = chance.one_in(2) ? 5 : 2;
  options.load_by = chance.one_in(2) ? domain::LoadBy::rooms : domain::LoadBy::sessions;
  options.when_full = chance.one_in(3) ? domain::WhenFull::reject : domain::WhenFull::overflow;
  options.unknown_rooms = chance.one_in(2) ? domain::UnknownRooms::reject : domain::UnknownRooms::accept;
  static const std::vector<std::chrono::seconds> times{std::chrono::seconds{7}, std::chrono::seconds{30},
                                                       std::chrono::seconds{90}, std::chrono::seconds{120}};
  options.dead_after = chance.of(times);
  options.join_grace = chance.of(times);
}

}  // namespace

std::vector<std::string> Chance::some(std::vector<std::string> items, std::size_t least) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  items.resize(least + below(items.size() - least + 1));
  return items;
}

std::vector<std::string> names_of_gateways(const app::Configured& configured) {
  std::vector<std::string> names;
  for (const domain::ConfiguredGateway& gateway : configured.gateways) names.push_back(gateway.name);
  return names;
}

std::string reported(const app::Configured& configured) {
  const domain::Options& options = configured.options;
  std::string text = options.scale ? "scale" : "legacy";
  text += options.unknown_rooms == domain::UnknownRooms::accept ? " accept" : "";
  text += options.load_by == domain::LoadBy::sessions ? " by sessions" : "";
  text += options.when_full == domain::WhenFull::reject ? " reject" : "";
  text += " max " + std::to_string(options.max_server_capacity) + " avg " + std::to_string(options.avg_room_occupancy) +
          " dead " + std::to_string(options.dead_after.count()) + " grace " +
          std::to_string(options.join_grace.count()) + " gateways";
  for (const auto& gateway : configured.gateways) {
    text += " " + gateway.name;
    if (gateway.capacity) text += "=" + std::to_string(*gateway.capacity);
    if (gateway.disabled) text += *gateway.disabled ? "!" : "+";
  }
  text += " rooms";
  for (const auto& room : configured.rooms) {
    text += " " + room.gateway_uid.text() + "=" + room.default_gateway.value_or("-");
    if (room.disabled) text += *room.disabled ? "!" : "+";
  }
  if (options.available_servers) {
    text += " list";
    for (const std::string& name : *options.available_servers) text += " " + name;
  }
  for (const domain::Region& region : options.regions) {
    text += " " + region.country;
    for (const std::string& name : region.gateways) text += ":" + name;
  }
  for (const domain::Pin& pin : options.pins) text += " pin " + pin.room_id.text() + "=" + pin.gateway;
  return text;
}

app::Configured any_configuration(Chance& chance) {
  app::Configured configured;
  configured.options.scale = !chance.one_in(4);
  change_gateways(configured, chance);
  change_rooms(configured, chance);
  change_lists(configured, chance);
  change_pins(configured, chance);
  change_numbers(configured, chance);
  return configured;
}

app::Configured changed(app::Configured configured, Chance& chance) {
  if (chance.one_in(3)) configured.options.scale = !configured.options.scale || chance.one_in(3);
  if (chance.one_in(4)) change_gateways(configured, chance);
  if (chance.one_in(4)) change_rooms(configured, chance);
  if (chance.one_in(3)) change_numbers(configured, chance);
  forget_unknown_defaults(configured);
  // Settings name gateways anew once the named ones are removed.
  change_lists(configured, chance);
  if (configured.options.pins.empty() || chance.one_in(2)) change_pins(configured, chance);
  const std::vector<std::string> names = names_of_gateways(configured);
  std::vector<domain::Pin> pins;
  for (const domain::Pin& pin : configured.options.pins) {
    if (std::count(names.begin(), names.end(), pin.gateway) > 0) pins.push_back(pin);
  }
  configured.options.pins = pins;
  return configured;
}

}  // namespace model
