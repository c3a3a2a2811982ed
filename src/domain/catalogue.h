// Gateways and rooms as the database holds them, before any room has been placed.
// A Catalogue is immutable once built, so any thread may read it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "domain/room_id.h"
#include "domain/row_ids.h"

namespace domain {

// Does a gateway take no new rooms, and are the rooms on it moved away?
enum class Draining { no, yes, and_evacuating };

struct Gateway {
  RowId id{};
  std::string name;
  std::string url;
  std::string admin_url;  // where it is asked for its health and rooms; empty: at its url
  std::string type = "rooms";
  std::optional<std::int64_t> capacity;  // users; none: balancing.max_server_capacity
  bool disabled = false;
  bool draining = false;
  bool evacuating = false;  // it drains, and its rooms are moved away
  bool removed = false;

  bool operator==(const Gateway&) const = default;
  // May rooms be on it? One that is disabled keeps those it has.
  bool has_rooms() const { return !removed && type == "rooms"; }
  // May a room be answered with it at all?
  bool serves_rooms() const { return has_rooms() && !disabled; }
};

struct Room {
  RowId id{};
  RoomId gateway_uid;  // the Janus room id, by which clients know it
  std::string name;
  std::optional<RowId> default_gateway_id;
  bool disabled = false;
  bool removed = false;

  bool operator==(const Room&) const = default;
  bool is_open() const { return !disabled && !removed; }
};

class Catalogue {
 public:
  // Expects ids and names of gateways, and gateway_uids of rooms, to be unique.
  Catalogue(std::vector<Gateway> gateways, std::vector<Room> rooms);
  Catalogue(const Catalogue&) = delete;
  Catalogue& operator=(const Catalogue&) = delete;

  // Nothing where there is none; what is found lives as long as the catalogue.
  const Gateway* gateway(std::string_view name) const;
  const Gateway* gateway_by_id(RowId id) const;
  const Room* room(const RoomId& gateway_uid) const;
  // The room's default gateway if it may be answered with: there, enabled, of type "rooms".
  const Gateway* default_gateway(const Room& room) const;

  const std::vector<Gateway>& gateways() const { return gateways_; }  // by id
  const std::vector<Room>& rooms() const { return rooms_; }           // bytewise by gateway_uid

 private:
  std::vector<Gateway> gateways_;
  std::vector<Room> rooms_;
  std::unordered_map<std::string_view, const Gateway*> by_name_;
  std::unordered_map<RowId, const Gateway*> by_id_;
  std::unordered_map<std::string_view, const Room*> by_uid_;
};

}  // namespace domain
