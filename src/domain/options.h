// The settings by which rooms are decided. Names are those of config.toml; defaults are CONTRACT's.
// Filled in by config/, read everywhere; a value once handed over is not changed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/health_options.h"
#include "domain/room_id.h"
#include "domain/row_ids.h"
#include "domain/time.h"

namespace domain {

// What a gateway's load is: the rooms assigned to it × avg_room_occupancy, or per room the larger of that
// average and its users now.
enum class LoadBy { rooms, sessions };
enum class UnknownRooms { reject, accept };
enum class WhenFull { overflow, reject };

// The key of the region for callers without a country, or of a country without a region.
inline constexpr std::string_view other_countries = "*";

struct Region {
  std::string country;  // trimmed, upper case, or "*"
  std::vector<std::string> gateways;
  std::string where;  // "config.toml:12", for messages
};

struct Pin {
  RoomId room_id;
  std::string gateway;
  std::string where;
};

struct Options {
  bool scale = false;
  UnknownRooms unknown_rooms = UnknownRooms::reject;

  // Nothing: every enabled gateway of type "rooms", in order.
  std::optional<std::vector<std::string>> available_servers;
  std::string available_where;
  std::int64_t max_server_capacity = 400;  // users
  std::int64_t avg_room_occupancy = 10;    // users
  WhenFull when_full = WhenFull::overflow;
  LoadBy load_by = LoadBy::rooms;

  std::vector<Region> regions;
  std::vector<Pin> pins;

  Duration dead_after = std::chrono::seconds{90};
  Duration clean_every = std::chrono::minutes{1};
  Duration join_grace = std::chrono::minutes{2};
  std::int64_t max_sessions = 200'000;

  std::vector<std::string> standby_servers;
  std::string standby_where;
  Duration failover_wait = std::chrono::seconds{5};
  bool move_pinned = false;
  HealthOptions health;
};

// The entries of [[gateways]] and [[rooms]], before they are synced into the database. A field that is
// not written down is nothing: a row that came by import or SQL keeps its own.
struct ConfiguredGateway {
  std::string name;
  std::optional<RowId> id;
  std::optional<std::string> url;
  std::optional<std::string> admin_url;
  std::optional<std::string> type;  // else "rooms"
  std::optional<std::int64_t> capacity;
  std::optional<bool> disabled;
  std::string where;
};

struct ConfiguredRoom {
  RoomId gateway_uid;
  std::optional<RowId> id;
  std::optional<std::string> name;
  std::optional<std::string> default_gateway;  // a name …
  std::optional<RowId> default_gateway_id;     // … or an id; not both
  std::optional<bool> disabled;
  std::string where;
};

}  // namespace domain
