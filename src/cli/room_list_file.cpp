#include "cli/room_list_file.h"

#include <algorithm>
#include <regex>
#include <unordered_map>

#include "cli/room_list_formats.h"
#include "cli/table.h"
#include "domain/id.h"
#include "domain/number.h"

namespace cli {
namespace {

constexpr std::string_view kIdRule = "is not 1 to 255 bytes of UTF-8 without control characters, or is \".\" or \"..\"";

bool looks_like_json(std::string_view text) {
  const auto first = text.find_first_not_of("\xEF\xBB\xBF \t\r\n");  // those three are a byte order mark
  return first != std::string_view::npos && (text[first] == '[' || text[first] == '{');
}

// A long value is cut: it is there to be found in the file, not to be read.
std::string quoted(const std::string& value) {
  constexpr std::size_t kEnough = 60;
  auto text = printable(value);
  if (text.size() > kEnough) {
    auto end = kEnough;
    while ((static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
    text = text.substr(0, end) + "…";
  }
  return '"' + text + '"';
}

bool has_control_characters(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; });
}

// How programs write that there is no value, where a name was expected.
bool means_nothing(const std::string& text) {
  const auto words = {"null", "none", "nan", "nil", "na", "nat", "undefined"};
  return std::find(words.begin(), words.end(), lower_case(text)) != words.end();
}

void replace_all(std::string& text, std::string_view from, char to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + 1)) {
    text.replace(at, from.size(), 1, to);
  }
}

// Digits were lost, or added, and the room is another one.
bool is_damaged_number(std::string text) {
  static const std::regex written(R"([+-]?[0-9]+([.,][0-9]+)?[eE][+-][0-9]+)"  // 1.23457E+15
                                  R"(|[0-9]+[.,][0-9]+[eE][0-9]+)"             // 1.23457E15
                                  R"(|[0-9]+[.,]0*)"                           // 2171.0
                                  R"(|\t*[0-9]{1,3}([,.' \t][0-9]{3})+\t*)"    // 2,171
                                  R"(|\t+[0-9]+\t*|[0-9]+\t+)"                 // beside a blank that does not break
                                  R"(|'[0-9]+|="?[0-9]+"?)"                    // '2171, ="2171": to be taken as text
                                  "|[0-9]{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
                                  "|(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-[0-9]{2}"
                                  R"(|#+|#(REF!|N/A|VALUE!|NUM!|NAME\?|NULL!|DIV/0!|SPILL!)|Err:[0-9]+)");
  if (text.size() > 64) return false;
  for (const std::string_view blank : {"\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89"}) replace_all(text, blank, '\t');
  replace_all(text, "\xE2\x80\x99", '\'');
  return std::regex_match(text, written);
}

class Judge {
 public:
  explicit Judge(RawRoomList raw) : raw_(std::move(raw)) {}

  RoomList judge() {
    RoomList list;
    for (const auto& room : raw_.rooms) {
      const auto known_problems = raw_.problems.size();
      auto entry = entry_of(room);
      if (!room.faulty && raw_.problems.size() == known_problems) {
        list.entries.push_back(std::move(entry));
      }
    }
    std::stable_sort(raw_.problems.begin(), raw_.problems.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    list.problems = std::move(raw_.problems);
    return list;
  }

 private:
  RoomEntry entry_of(const RawRoom& room) {
    RoomEntry entry;
    entry.place = room.place;
    entry.line = room.line;
    if (room.gateway_uid) entry.gateway_uid = uid_of(room, *room.gateway_uid);
    if (room.id && !room.id->empty()) entry.id = id_of(room, *room.id);
    if (room.name && !room.name->empty()) entry.name = name_of(room, *room.name);
    if (room.default_gateway) entry.default_gateway = gateway_of(room, *room.default_gateway);
    return entry;
  }

  domain::RoomId uid_of(const RawRoom& room, const std::string& uid) {
    if (uid.empty()) {
      complain(room, "gateway_uid is missing; give the room's Janus id");
    } else if (!domain::is_valid_id(uid)) {
      complain(room, "gateway_uid: " + quoted(uid) + ' ' + std::string(kIdRule));
    } else if (means_nothing(uid)) {
      complain(room, "gateway_uid: " + quoted(uid) + " is no room; give its Janus id");
    } else if (is_damaged_number(uid)) {
      complain(room, "gateway_uid: " + quoted(uid) +
                         " is a number as a spreadsheet writes it; make the column text, and write the id in full");
    } else if (const auto [first, is_new] = uid_places_.emplace(uid, room.place); !is_new) {
      complain(room, "room " + quoted(uid) + " stands in " + first->second + " already; keep one");
    }
    return domain::RoomId(uid);
  }

  std::optional<domain::RowId> id_of(const RawRoom& room, const std::string& text) {
    const auto id = domain::number_from<std::int64_t>(text);
    if (id.value_or(0) <= 0) {
      complain(room, "id: " + quoted(text) + " is not a whole number from 1 to 2^63-1");
    } else if (const auto [first, is_new] = id_places_.emplace(*id, room.place); !is_new) {
      complain(room,
               "id " + text + " stands in " + first->second + " already; leave one of them out, and it is given one");
    }
    return domain::RowId{id.value_or(0)};
  }

  std::string name_of(const RawRoom& room, const std::string& name) {
    if (!domain::is_utf8(name)) {
      complain(room, "name: " + quoted(name) + " is not UTF-8");
    } else if (has_control_characters(name)) {
      complain(room, "name: " + quoted(name) + " holds control characters");
    }
    return name;
  }

  std::string gateway_of(const RawRoom& room, const std::string& gateway) {
    if (gateway.empty()) return gateway;
    if (means_nothing(gateway) || is_damaged_number(gateway)) {
      complain(room, "default_gateway: " + quoted(gateway) + " is no gateway; leave it empty for none");
    } else if (!domain::is_gateway_name(gateway)) {
      complain(room, "default_gateway: " + quoted(gateway) + " is not " + std::string(domain::gateway_name_rule));
    }
    return gateway;
  }

  void complain(const RawRoom& room, const std::string& text) {
    raw_.problems.push_back({room.line, room.place + ": " + text});
  }

  RawRoomList raw_;
  std::unordered_map<std::string, std::string> uid_places_;
  std::unordered_map<std::int64_t, std::string> id_places_;
};

}  // namespace

std::string lower_case(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

RoomList parse_room_list(std::string_view text, bool janus_is_default) {
  return Judge(looks_like_json(text) ? read_room_json(text, janus_is_default) : read_room_csv(text)).judge();
}

}  // namespace cli
