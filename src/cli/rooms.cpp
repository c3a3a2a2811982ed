// rooms list and rooms set.
#include <algorithm>
#include <unordered_map>

#include "cli/commands.h"
#include "cli/configured.h"
#include "cli/database_file.h"
#include "cli/table.h"
#include "domain/suggestion.h"
#include "json/writer.h"

namespace cli {
namespace {

using Names = std::unordered_map<domain::RowId, std::string>;

Names names_by_id(const std::vector<store::GatewayRow>& gateways) {
  Names names;
  for (const auto& row : gateways) names.emplace(row.gateway.id, row.gateway.name);
  return names;
}

std::string default_gateway(const domain::Room& room, const Names& names) {
  if (!room.default_gateway_id) return "-";
  const auto found = names.find(*room.default_gateway_id);
  if (found != names.end()) return found->second;
  return "? (default_gateway_id " + to_text(*room.default_gateway_id) + " is no gateway)";
}

std::string for_programs(const std::vector<store::RoomRow>& rooms, const Names& names) {
  json::Writer json;
  json.begin_object().key("rooms").begin_array();
  for (const auto& row : rooms) {
    const auto& room = row.room;
    const auto found = room.default_gateway_id ? names.find(*room.default_gateway_id) : names.end();
    json.begin_object().member("id", integer_of(room.id)).member("gateway_uid", room.gateway_uid);
    json.member("name", room.name).key("default_gateway");
    found == names.end() ? json.null() : json.value(found->second);
    json.key("default_gateway_id");
    room.default_gateway_id ? json.value(integer_of(*room.default_gateway_id)) : json.null();
    json.member("disabled", room.disabled).end_object();
  }
  json.end_array().end_object();
  return json.take() + '\n';
}

std::string for_people(const std::vector<store::RoomRow>& rooms, const Names& names) {
  if (rooms.empty()) return "There are no rooms; rooms import adds some.\n";
  Table table({{"ID", Align::right}, {"ROOM"}, {"NAME"}, {"DEFAULT GATEWAY"}, {"STATE"}});
  for (const auto& row : rooms) {
    const auto& room = row.room;
    table.add_row({to_text(room.id), room.gateway_uid.text(), room.name.empty() ? "-" : room.name,
                   default_gateway(room, names), room.disabled ? "disabled" : "open"});
  }
  return table.text();
}

// A gateway that may be a room's default; throws with the reason why it may not.
const domain::Gateway& gateway_to_set(const std::vector<store::GatewayRow>& rows, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& row : rows) {
    if (row.gateway.removed) continue;
    if (row.gateway.name != name) {
      known.push_back(row.gateway.name);
      continue;
    }
    if (row.gateway.type == "rooms") return row.gateway;
    throw CommandFailed("gateway \"" + printable(name) + "\" is of type \"" + printable(row.gateway.type) +
                        "\"; name one of type \"rooms\"");
  }
  throw CommandFailed("there is no gateway \"" + printable(name) + '"' + domain::did_you_mean(name, known) +
                      "; see status for their names");
}

}  // namespace

int rooms_list(const CommandLine& line, Terminal& terminal) {
  const auto configuration = sound_configuration(line, terminal);
  require_database(configuration.store.path);
  Tables tables;
  read_database(configuration.store.path, [&](store::Database& database) { tables = read_tables(database); });
  for (const auto& skipped : tables.skipped) terminal.err << "warning: " << printable(skipped) << '\n';
  auto& rooms = tables.rooms;
  rooms.erase(std::remove_if(rooms.begin(), rooms.end(), [](const store::RoomRow& row) { return row.room.removed; }),
              rooms.end());
  // As GET /v2/rooms has them.
  std::sort(rooms.begin(), rooms.end(),
            [](const store::RoomRow& a, const store::RoomRow& b) { return a.room.gateway_uid < b.room.gateway_uid; });
  const auto names = names_by_id(tables.gateways);
  terminal.out << (line.json ? for_programs(rooms, names) : for_people(rooms, names));
  return kFine;
}

int rooms_set(const CommandLine& line, Terminal& terminal) {
  const auto configuration = sound_configuration(line, terminal);
  change_database(configuration.store.path, [&](store::Database& database) {
    auto row = store::find_room_by_uid(database, domain::RoomId(line.subject));
    const auto tables = read_tables(database);
    if (!row || row->room.removed) {
      std::vector<std::string> known;
      for (const auto& other : tables.rooms) known.push_back(other.room.gateway_uid.text());
      throw CommandFailed("there is no room \"" + printable(line.subject) + '"' +
                          domain::did_you_mean(line.subject, known) +
                          "; give its Janus id, or add it with rooms import");
    }
    const auto& gateway = gateway_to_set(tables.gateways, *line.gateway);
    if (gateway.disabled) {
      terminal.err << "warning: gateway \"" << printable(gateway.name)
                   << "\" is disabled; legacy mode cannot answer its rooms\n";
    }
    row->room.default_gateway_id = gateway.id;
    store::write_room(database, *row);
  });
  terminal.out << "Room " << printable(line.subject) << " has " << printable(*line.gateway) << " as default gateway.\n";
  return kFine;
}

}  // namespace cli
