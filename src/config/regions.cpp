#include "config/regions.h"

#include <optional>
#include <unordered_map>
#include <utility>

#include "config/lists.h"
#include "domain/id.h"

namespace config {
namespace {

constexpr std::string_view a_region_group = "COUNTRY,COUNTRY:gateway,gateway (as in IL,PS:gxy1,gxy2;US:gxy3)";
constexpr std::string_view a_pin_group = "ROOM,ROOM:gateway (as in 1234,1235:gxy5;2000:gxy6)";
constexpr std::string_view a_country = "a country code of two letters like IL, or *";
constexpr std::string_view a_room = "a room id (1 to 255 bytes of UTF-8 without control characters; not . or ..)";

// One entry of either setting, whichever source it is from, with its name still as written.
struct Group {
  std::string name;
  Value content;
};

// What "IL:gxy1;US:gxy2" or a table holds. Nothing if that was refused.
std::optional<std::vector<Group>> groups_of(const Value& value, const Spot& spot, bool last_colon) {
  std::vector<Group> groups;
  if (value.kind == Value::Kind::table) {
    for (const Value& child : value.children) groups.push_back({child.key, child});
    return groups;
  }
  if (!value.is_text() || value.typed) {
    spot.refuse(value);
    return std::nullopt;
  }
  bool good = true;
  for (const std::string& text : split(value.text, ';')) {
    const std::size_t colon = last_colon ? text.rfind(':') : text.find(':');
    if (colon == std::string::npos || trimmed(text.substr(0, colon)).empty()) {
      spot.refuse(untyped(text, value.line));
      good = false;
      continue;
    }
    groups.push_back({std::string(trimmed(text.substr(0, colon))), untyped(text.substr(colon + 1), value.line)});
  }
  if (!good) return std::nullopt;
  return groups;
}

std::optional<std::string> country_from(std::string_view text) {
  std::string country(trimmed(text));
  for (char& c : country) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
  const bool is_code = country.size() == 2 && is_letter(country[0]) && is_letter(country[1]);
  return is_code || country == domain::other_countries ? std::optional(country) : std::nullopt;
}

// Remembers where each name was given first, and says so if it comes again.
class Once {
 public:
  Once(const Spot& spot, std::string what) : spot_(spot), what_(std::move(what)) {}

  bool add(const std::string& name, std::size_t line) {
    const auto [first, is_new] = lines_.emplace(name, line);
    if (is_new) return true;
    std::string text = what_ + " " + in_quotes(name) + " is given twice";
    if (first->second != line) text += " (first at " + spot_.origin.at(first->second) + ")";
    spot_.complain(line, text + ": keep one");
    return false;
  }

 private:
  const Spot& spot_;
  std::string what_;
  std::unordered_map<std::string, std::size_t> lines_;
};

// "IL:gxy1,US:gxy2" parses, but hardly means the gateway "US:gxy2".
void warn_of_colon(const Spot& spot, const Value& content, const std::string& name, std::string_view what) {
  if (content.typed || name.find(':') == std::string::npos) return;
  spot.warn(content.line, std::string(what) + " " + in_quotes(name) +
                              " holds a colon: if a new group was meant, write \";\" before it");
}

bool read_region(const Group& group, const Spot& spot, Once& once, std::vector<domain::Region>& regions) {
  const std::size_t line = group.content.line;
  // "IL,PS:gxy1" is two countries with the same gateways.
  std::vector<std::string> keys{group.name};
  if (!group.content.typed) keys = split(group.name, ',');
  collapse_duplicates(keys);
  const Spot part = group.content.typed ? spot.named(spot.name + "." + group.name, {}) : spot;
  const auto names = read_names(group.content, part);
  bool good = names.has_value() && !keys.empty();
  if (keys.empty()) spot.refuse(untyped(group.name, line), a_country);
  if (good && names->empty()) {
    spot.complain(line, "region " + in_quotes(country_from(keys.front()).value_or(group.name)) +
                            " is empty: name at least one gateway, or remove the region");
    good = false;
  }
  for (const std::string& key : keys) {
    const std::optional<std::string> country = country_from(key);
    if (!country) spot.refuse(untyped(key, line), a_country);
    if (!country || !once.add(*country, line)) {
      good = false;
    } else if (good) {
      regions.push_back({*country, *names, spot.where(group.content)});
    }
  }
  return good;
}

bool read_pin(const Group& group, const Spot& spot, Once& once, std::vector<domain::Pin>& pins) {
  const std::size_t line = group.content.line;
  const bool typed = group.content.typed;
  std::vector<std::string> rooms{std::string(trimmed(group.name))};
  if (!typed) {
    rooms = split(group.name, ',');
    collapse_duplicates(rooms);
    if (rooms.empty()) {
      spot.refuse(untyped(group.name, line), a_room);
      return false;
    }
  }

  const Spot part = typed ? spot.named(spot.name + "." + group.name, {}) : spot;
  const std::optional<std::string> gateway = as_name(group.content);
  // A comma would be a second gateway; a room has one.
  bool good = gateway && (typed || gateway->find(',') == std::string::npos);
  if (!good) part.refuse(group.content, a_name);

  for (const std::string& room : rooms) {
    if (!domain::is_valid_id(room)) {
      spot.refuse(untyped(room, line), a_room);
      good = false;
      continue;
    }
    warn_of_colon(spot, group.content, room, "room");
    if (!once.add(room, line)) good = false;
    if (good) pins.push_back({domain::RoomId(room), *gateway, spot.where(group.content)});
  }
  return good;
}

template <typename Entry, typename Read>
Outcome read_all(const Value& value, const Spot& spot, std::string what, bool last_colon, Read read,
                 std::vector<Entry>& target) {
  const auto groups = groups_of(value, spot, last_colon);
  if (!groups) return Outcome::refused;
  if (groups->empty()) return Outcome::unset;
  std::vector<Entry> entries;
  Once once(spot, std::move(what));
  bool good = true;
  for (const Group& group : *groups) good = read(group, spot, once, entries) && good;
  if (!good) return Outcome::refused;
  target = std::move(entries);
  return Outcome::taken;
}

}  // namespace

Outcome read_regions(const Value& value, const Spot& spot, std::vector<domain::Region>& target) {
  const Spot here = spot.named(spot.name, value.typed ? spot.expected : a_region_group);
  return read_all(value, here, "region", false, read_region, target);
}

Outcome read_pins(const Value& value, const Spot& spot, std::vector<domain::Pin>& target) {
  const Spot here = spot.named(spot.name, value.typed ? spot.expected : a_pin_group);
  return read_all(value, here, "room", true, read_pin, target);
}

std::string to_text(const std::vector<domain::Region>& regions) {
  std::vector<std::string> groups;
  groups.reserve(regions.size());
  for (const domain::Region& region : regions) {
    groups.push_back(region.country + ":" + joined(region.gateways, ","));
  }
  return joined(groups, ";");
}

std::string to_text(const std::vector<domain::Pin>& pins) {
  std::string text;
  for (std::size_t i = 0; i < pins.size(); ++i) {
    text += pins[i].room_id;
    if (i + 1 == pins.size()) return text + ":" + pins[i].gateway;
    const bool same_group = pins[i + 1].gateway == pins[i].gateway;
    text += same_group ? "," : ":" + pins[i].gateway + ";";
  }
  return text;
}

}  // namespace config
