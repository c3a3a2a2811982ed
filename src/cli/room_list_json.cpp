#include <algorithm>
#include <array>
#include <charconv>

#include "cli/element_lines.h"
#include "cli/room_list_formats.h"
#include "cli/table.h"
#include "domain/suggestion.h"
#include "json/value.h"

namespace cli {
namespace {

using Field = std::optional<std::string> RawRoom::*;

struct Member {
  const char* name;
  Field field;
  bool may_be_integer;
};

constexpr std::array kOurs{
    Member{"id", &RawRoom::id, true},
    Member{"name", &RawRoom::name, false},
    Member{"gateway_uid", &RawRoom::gateway_uid, true},
    Member{"default_gateway", &RawRoom::default_gateway, false},
};

// In gxydb's /groups; what else it says of a room is about its users.
constexpr std::array kOfGroups{
    Member{"description", &RawRoom::name, false},
    Member{"room", &RawRoom::gateway_uid, true},
    Member{"janus", &RawRoom::default_gateway, false},
};

constexpr std::string_view kGroups = "rooms";

// The reader reports the byte, people look for the line.
PlacedProblem not_json(std::string_view text, const std::string& problem) {
  constexpr std::string_view kAtByte = "at byte ";
  const auto found = problem.find(kAtByte);
  if (found == std::string::npos) return {1, "not valid JSON: " + problem};
  std::size_t byte = 0;
  std::from_chars(problem.data() + found + kAtByte.size(), problem.data() + problem.size(), byte);
  const auto before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const auto line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  return {line, "line " + std::to_string(line) +
                    ": not valid JSON from here on; look for a missing "
                    "or additional comma, quote or bracket"};
}

const json::Value::Array* rooms_of(const json::Value& document) {
  if (const auto* array = document.array()) return array;
  const auto* rooms = document.find(kGroups);
  return rooms == nullptr ? nullptr : rooms->array();
}

bool are_groups(const json::Value& document, const json::Value::Array& rooms) {
  if (document.is_object()) return true;
  return !rooms.empty() && rooms[0].find("room") != nullptr && rooms[0].find("gateway_uid") == nullptr;
}

class Elements {
 public:
  Elements(bool are_groups, std::vector<std::size_t> lines) : are_groups_(are_groups), lines_(std::move(lines)) {}

  RawRoomList read(const json::Value::Array& elements) {
    // A key written with escapes can deceive the search for lines; then no line is reported.
    if (lines_.size() != elements.size()) lines_.assign(elements.size(), 0);
    for (std::size_t i = 0; i < elements.size(); ++i) read_element(i, elements[i]);
    return std::move(list_);
  }

 private:
  void read_element(std::size_t index, const json::Value& element) {
    RawRoom room;
    room.line = lines_[index];
    const auto number = "element " + std::to_string(index + 1);
    room.place = room.line == 0 ? number : "line " + std::to_string(room.line) + " (" + number + ")";
    if (!element.is_object()) return complain(room, "not an object with the fields of a room");
    const auto problems_before = list_.problems.size();
    if (are_groups_) {
      room.id = "";
      for (const auto& member : kOfGroups) read_member(room, member, element);
    } else {
      for (const auto& member : kOurs) read_member(room, member, element);
      refuse_unknown(room, *element.object());
    }
    require_gateway(room, element);
    room.faulty = list_.problems.size() > problems_before;
    list_.rooms.push_back(std::move(room));
  }

  void read_member(RawRoom& room, const Member& member, const json::Value& element) {
    auto& text = room.*member.field;
    text = "";
    const auto* value = element.find(member.name);
    if (value == nullptr || value->is_null()) return;
    if (value->is_string()) {
      text = *value->string();
    } else if (member.may_be_integer && value->is_unsigned()) {
      text = std::to_string(*value->unsigned_number());
    } else if (value->verbatim() != nullptr && value->verbatim()->front() == '"') {
      text.reset();
      complain(room, std::string(member.name) + ": " + printable(value->dump()) +
                         " holds half of a character, as it was cut");
    } else {
      text.reset();
      complain(room, std::string(member.name) + ": " + printable(value->dump()) +
                         (member.may_be_integer ? " is neither a string nor a whole number, written without sign, "
                                                  "point and exponent, below 2^64"
                                                : " is not a string"));
    }
  }

  // An empty one is somebody's word that there is none; without the member it may be another list.
  void require_gateway(const RawRoom& room, const json::Value& element) {
    const std::string name = are_groups_ ? "janus" : "default_gateway";
    if (element.find(name) != nullptr) return;
    complain(room, name + " is missing; name the gateway that serves the room, or \"\" for none");
  }

  void refuse_unknown(const RawRoom& room, const json::Value::Object& object) {
    std::vector<std::string> known;
    known.reserve(kOurs.size());
    for (const auto& member : kOurs) known.emplace_back(member.name);
    for (const auto& [name, value] : object) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      complain(room, "unknown field \"" + printable(name) + '"' + domain::did_you_mean(name, known));
    }
  }

  void complain(const RawRoom& room, const std::string& text) {
    list_.problems.push_back({room.line, room.place + ": " + text});
  }

  bool are_groups_;
  std::vector<std::size_t> lines_;
  RawRoomList list_;
};

}  // namespace

RawRoomList read_room_json(std::string_view text, bool janus_is_default) {
  RawRoomList list;
  std::string problem;
  const auto document = json::Value::parse(text, &problem);
  if (!document) {
    list.problems.push_back(not_json(text, problem));
    return list;
  }
  const auto* rooms = rooms_of(*document);
  if (rooms == nullptr) {
    list.problems.push_back({1, "neither an array of rooms nor gxydb's /groups answer"});
    return list;
  }
  const bool groups = are_groups(*document, *rooms);
  if (groups && !janus_is_default) {
    list.problems.push_back({1,
                             "this is an answer of gxydb's; its janus may be today's assignment "
                             "instead of the default gateway. If it is the default, say so with "
                             "--janus-is-default"});
    return list;
  }
  return Elements(groups, element_lines(text, document->is_object() ? kGroups : "")).read(*rooms);
}

}  // namespace cli
