// The file that `rooms import` takes, CSV or JSON. The first byte says if --janus-is-default was given.
#include <algorithm>
#include <set>
#include <string>

#include "cli/room_list_file.h"
#include "cli/table.h"
#include "fuzz/expect.h"
#include "fuzz/json_tree.h"
#include "json/writer.h"

namespace {

using fuzz::expect;

std::string in_quotes(const std::string& field) {
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + '"';
}

std::string as_csv(const cli::RoomList& list) {
  std::string text = "id,name,gateway_uid,default_gateway\n";
  for (const cli::RoomEntry& entry : list.entries) {
    text += (entry.id ? to_text(*entry.id) : "") + "," + in_quotes(entry.name.value_or("")) + "," +
            in_quotes(entry.gateway_uid.text()) + "," + in_quotes(entry.default_gateway) + "\n";
  }
  return text;
}

std::string as_json(const cli::RoomList& list) {
  json::Writer json;
  json.begin_array();
  for (const cli::RoomEntry& entry : list.entries) {
    json.begin_object().key("id");
    entry.id ? json.value(integer_of(*entry.id)) : json.null();
    json.member("name", entry.name);
    json.member("gateway_uid", entry.gateway_uid);
    json.member("default_gateway", entry.default_gateway).end_object();
  }
  return json.end_array().take();
}

bool same(const cli::RoomList& a, const cli::RoomList& b) {
  return std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                    [](const cli::RoomEntry& x, const cli::RoomEntry& y) {
                      return x.gateway_uid == y.gateway_uid && x.id == y.id && x.name == y.name &&
                             x.default_gateway == y.default_gateway;
                    });
}

// Neither a word for nothing nor a number that a spreadsheet may have written.
bool is_plain(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void check_entries(const cli::RoomList& list) {
  std::set<domain::RoomId> uids;
  std::set<domain::RowId> ids;
  for (const cli::RoomEntry& entry : list.entries) {
    expect(fuzz::is_id(entry.gateway_uid), "a room's id");
    expect(uids.insert(entry.gateway_uid).second, "each room once");
    expect(!entry.id || (*entry.id > domain::RowId{0} && ids.insert(*entry.id).second), "each row's id once");
    expect(entry.default_gateway.empty() || fuzz::is_gateway_name(entry.default_gateway), "a gateway's name");
    expect(fuzz::is_one_line(entry.name.value_or("")), "a name in one line of UTF-8");
  }
}

// Is it gxydb's answer, with only valid values in the fields that are read? `plain_only`: also none that may look
// damaged.
bool are_sound_groups(const fuzz::Tree& document, bool plain_only) {
  if (!document.is_object() || !document.contains("rooms") || !document["rooms"].is_array()) return false;
  std::set<std::string> uids;
  for (const fuzz::Tree& room : document["rooms"]) {
    if (!room.is_object() || !room.contains("janus")) return false;
    const auto uid = fuzz::id_in(room, "room").value_or("");
    if (!fuzz::is_id(uid) || !uids.insert(uid).second) return false;
    if (plain_only && !is_plain(uid)) return false;
    for (const char* key : {"janus", "description"}) {
      if (!room.contains(key) || room[key].is_null()) continue;
      if (!fuzz::is_text(room[key])) return false;
      const auto text = room[key].get<std::string>();
      if (!text.empty() && !(key[0] == 'j' ? fuzz::is_gateway_name(text) : fuzz::is_one_line(text))) return false;
      if (plain_only && key[0] == 'j' && !is_plain(text)) return false;
    }
  }
  return true;
}

// CSV has no blanks around an id, and \N for nothing; in JSON they belong to the text.
bool differs_in_csv(const cli::RoomList& list) {
  const auto has = [](const std::string& text) { return !text.empty() && (text.front() == ' ' || text.back() == ' '); };
  return std::any_of(list.entries.begin(), list.entries.end(), [&](const cli::RoomEntry& entry) {
    return has(entry.gateway_uid.text()) || has(entry.default_gateway) || entry.gateway_uid == "\\N" ||
           entry.name == "\\N";
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = fuzz::as_text(data + 1, size - 1);
  const auto lines =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; })) +
      1;
  const cli::RoomList list = cli::parse_room_list(text, data[0] % 2 == 1);
  const fuzz::Tree document = fuzz::tree_of(text);
  if (document.is_object() && data[0] % 2 == 1) {
    expect(!list.problems.empty() || are_sound_groups(document, false), "what is read of gxydb's groups");
    expect(list.problems.empty() || !are_sound_groups(document, true), "no more of gxydb's groups is judged");
  }
  const bool is_json_list = document.is_object() || document.is_array();
  for (const cli::PlacedProblem& problem : list.problems) {
    // At the end, since elsewhere a message may quote the file.
    expect(!is_json_list || !problem.text.ends_with("comma, quote or bracket"), "JSON that is taken for JSON");
  }
  std::size_t last = 0;
  for (const cli::PlacedProblem& problem : list.problems) {
    expect(problem.line >= last && problem.line <= lines, "problems in the order of the file");
    last = problem.line;
    expect(fuzz::is_one_line(problem.text), "a problem in one line of UTF-8");
    expect(cli::printable(problem.text) == problem.text, "a problem that may go to a terminal");
  }
  check_entries(list);
  if (!list.problems.empty()) return 0;

  const cli::RoomList from_json = cli::parse_room_list(as_json(list), false);
  expect(from_json.problems.empty() && same(list, from_json), "the same rooms from JSON");
  if (differs_in_csv(list)) return 0;
  const cli::RoomList from_csv = cli::parse_room_list(as_csv(list), false);
  expect(from_csv.problems.empty() && same(list, from_csv), "the same rooms from CSV");
  return 0;
}
