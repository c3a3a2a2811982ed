#include "config/entries.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "config/known_keys.h"
#include "config/lists.h"
#include "config/readers.h"
#include "domain/id.h"

namespace config {
namespace {

constexpr std::int64_t largest_id = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view an_id = "a whole number above 0";
constexpr std::string_view a_text = "a text without control characters";
constexpr std::string_view a_uid =
    "a room id (a text of 1 to 255 bytes without control characters, or a whole number from 0)";

// One entry of [[gateways]] or [[rooms]]: reads its fields, and reports what does not parse.
class Fields {
 public:
  Fields(const Value& entry, const Spot& spot) : entry_(entry), spot_(spot) {}

  const Value* find(std::string_view key) const {
    const Value* value = entry_.find(key);
    return value && !is_blank(*value) ? value : nullptr;
  }
  Spot at(std::string_view key, std::string_view expected) const {
    return spot_.named(spot_.name + "." + std::string(key), expected);
  }

  // Each leaves the target alone if the key is not there.
  void text(std::string_view key, std::optional<std::string>& target) const {
    if (const Value* v = find(key)) take(as_line(*v), *v, at(key, a_text), target);
  }
  void flag(std::string_view key, std::optional<bool>& target) const {
    if (const Value* v = find(key)) take(as_boolean(*v), *v, at(key, a_boolean), target);
  }
  void number(std::string_view key, std::int64_t least, std::int64_t most, std::string_view expected,
              std::optional<std::int64_t>& target) const {
    const Value* v = find(key);
    if (v) take(as_whole_number(*v, least, most), *v, at(key, expected), target);
  }
  void row_id(std::string_view key, std::int64_t least, std::string_view expected,
              std::optional<domain::RowId>& target) const {
    std::optional<std::int64_t> id;
    number(key, least, largest_id, expected, id);
    if (id) target = domain::RowId{*id};
  }
  void name(std::string_view key, std::optional<std::string>& target) const {
    if (const Value* v = find(key)) take(as_name(*v), *v, at(key, a_name), target);
  }
  void missing(std::string_view key) const {
    at(key, {}).complain(entry_.line, "is missing: each [[" + spot_.name + "]] needs it");
  }

 private:
  const Value& entry_;
  const Spot& spot_;
};

// Says so if a key of [[gateways]] or [[rooms]] that must be unique comes again, and names both.
class Unique {
 public:
  Unique(const Spot& spot, std::string key) : spot_(spot), key_(std::move(key)) {}

  void add(const std::string& value, const std::string& text, std::size_t line) {
    const auto [first, is_new] = lines_.emplace(value, line);
    if (is_new) return;
    spot_.complain(line, key_ + " " + text + " is taken by the entry at " + spot_.origin.at(first->second) +
                             ": give each its own");
  }

 private:
  const Spot& spot_;
  std::string key_;
  std::map<std::string, std::size_t> lines_;
};

// Says so if two gateways have one address, be it a url or an admin_url: their health, load and rooms would be one
// gateway's, counted twice.
class Addresses {
 public:
  explicit Addresses(const Spot& spot) : spot_(spot) {}

  void add(const std::string& key, const std::string& address, const std::string& gateway, std::size_t line) {
    const auto [first, is_new] = uses_.emplace(plain(address), Use{key, gateway});
    if (is_new || first->second.gateway == gateway) return;
    spot_.named(spot_.name + "." + key, {})
        .warn(line, in_quotes(address) + " of " + in_quotes(gateway) + " is the " + first->second.key + " of " +
                        in_quotes(first->second.gateway) + ", too: give each gateway one name");
  }

 private:
  // Scheme and host in lower case, without the scheme's own port and slashes at the end.
  static std::string plain(std::string address) {
    const std::size_t scheme = address.find("://");
    const std::size_t host_end =
        std::min(address.find('/', scheme == std::string::npos ? 0 : scheme + 3), address.size());
    address.replace(0, host_end, lower_case(address.substr(0, host_end)));
    const std::string port = address.rfind("https://", 0) == 0 || address.rfind("wss://", 0) == 0 ? ":443" : ":80";
    const std::size_t port_begin = host_end - std::min(host_end, port.size());
    if (address.compare(port_begin, host_end - port_begin, port) == 0) address.erase(port_begin, port.size());
    while (!address.empty() && address.back() == '/') address.pop_back();
    return address;
  }

  struct Use {
    std::string key;
    std::string gateway;
  };

  const Spot& spot_;
  std::map<std::string, Use> uses_;  // the first of each address
};

// The tables of an array of tables; what is none of them is reported and left out.
std::vector<const Value*> tables_of(const Value& config_file, const Spot& spot) {
  std::vector<const Value*> tables;
  const Value* all = config_file.find(spot.name);
  if (!all || is_blank(*all)) return tables;
  if (all->kind != Value::Kind::list) {
    spot.refuse(*all, "a list of entries: begin each with [[" + spot.name + "]], in double brackets");
    return tables;
  }
  for (const Value& entry : all->children) {
    if (entry.kind == Value::Kind::table) {
      tables.push_back(&entry);
    } else {
      spot.refuse(entry, "an entry: begin each with [[" + spot.name + "]]");
    }
  }
  return tables;
}

// A string, or an integer that is taken as its decimal text.
std::optional<domain::RoomId> as_uid(const Value& value) {
  if (value.kind == Value::Kind::integer && value.integer >= 0) return domain::RoomId(std::to_string(value.integer));
  if (value.is_text() && domain::is_valid_id(value.text)) return domain::RoomId(value.text);
  return std::nullopt;
}

}  // namespace

std::vector<domain::ConfiguredGateway> read_gateways(const Value& config_file, const domain::Options& options,
                                                     const Origin& origin, Report& report) {
  static const std::string known[] = {"name", "url", "admin_url", "type", "capacity", "disabled", "id"};
  const Spot spot{report, origin, "gateways", {}};
  Unique names(spot, "name");
  Unique ids(spot, "id");
  Addresses addresses(spot);
  std::vector<domain::ConfiguredGateway> gateways;
  for (const Value* entry : tables_of(config_file, spot)) {
    check_keys_of(*entry, spot.name, known, origin, report);
    const Fields fields(*entry, spot);
    domain::ConfiguredGateway gateway;
    gateway.where = spot.where(*entry);
    std::optional<std::string> name;
    fields.name("name", name);
    if (!fields.find("name")) fields.missing("name");
    fields.text("url", gateway.url);
    fields.text("admin_url", gateway.admin_url);
    fields.text("type", gateway.type);
    fields.number("capacity", 1, most_users, a_count_of_users, gateway.capacity);
    if (gateway.type.value_or("rooms") == "rooms" &&
        gateway.capacity.value_or(most_users) < options.avg_room_occupancy) {
      fields.at("capacity", {})
          .complain(fields.find("capacity")->line,
                    "the average room (avg_room_occupancy = " + std::to_string(options.avg_room_occupancy) +
                        ") is above this capacity (" + std::to_string(*gateway.capacity) +
                        "): the gateway could take no room");
    }
    fields.flag("disabled", gateway.disabled);
    fields.row_id("id", 1, an_id, gateway.id);
    if (gateway.id) ids.add(to_text(*gateway.id), to_text(*gateway.id), entry->line);
    if (!name) continue;
    names.add(*name, in_quotes(*name), entry->line);
    gateway.name = *name;
    if (gateway.url) addresses.add("url", *gateway.url, gateway.name, fields.find("url")->line);
    if (gateway.admin_url) addresses.add("admin_url", *gateway.admin_url, gateway.name, fields.find("admin_url")->line);
    gateways.push_back(std::move(gateway));
  }
  return gateways;
}

std::vector<domain::ConfiguredRoom> read_rooms(const Value& config_file, const Origin& origin, Report& report) {
  static const std::string known[] = {"gateway_uid", "name", "default_gateway", "default_gateway_id", "disabled", "id"};
  const Spot spot{report, origin, "rooms", {}};
  Unique uids(spot, "gateway_uid");
  Unique ids(spot, "id");
  std::vector<domain::ConfiguredRoom> rooms;
  for (const Value* entry : tables_of(config_file, spot)) {
    check_keys_of(*entry, spot.name, known, origin, report);
    const Fields fields(*entry, spot);
    domain::ConfiguredRoom room;
    room.where = spot.where(*entry);
    fields.text("name", room.name);
    fields.name("default_gateway", room.default_gateway);
    fields.row_id("default_gateway_id", 0, "a whole number from 0", room.default_gateway_id);
    if (fields.find("default_gateway") && fields.find("default_gateway_id")) {
      spot.complain(entry->line, "default_gateway and default_gateway_id are both given: keep one of them");
    }
    fields.flag("disabled", room.disabled);
    fields.row_id("id", 1, an_id, room.id);
    if (room.id) ids.add(to_text(*room.id), to_text(*room.id), entry->line);

    const Value* uid = fields.find("gateway_uid");
    if (!uid) {
      fields.missing("gateway_uid");
    } else if (take(as_uid(*uid), *uid, fields.at("gateway_uid", a_uid), room.gateway_uid) == Outcome::taken) {
      uids.add(room.gateway_uid.text(), in_quotes(room.gateway_uid.text()), entry->line);
      rooms.push_back(std::move(room));
    }
  }
  return rooms;
}

}  // namespace config
