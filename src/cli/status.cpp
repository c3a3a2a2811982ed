#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/sidecar.h"
#include "cli/table.h"

namespace cli {
namespace {

struct Health {
  std::string status;
  std::vector<std::string> reasons;
};

Health health_of(const Sidecar::Answer& ready) {
  Health health{text_at(ready.body, "status"), texts_at(ready.body, "reasons")};
  if (health.status.empty()) health.status = ready.is_fine() ? "ok" : "not ready";
  const auto message = text_at(ready.body, "message");
  if (health.reasons.empty() && !message.empty()) health.reasons.push_back(message);
  return health;
}

std::string flags_of(const http::Json& gateway) {
  std::vector<std::string> flags;
  if (flag_at(gateway, "disabled")) flags.emplace_back("disabled");
  if (flag_at(gateway, "draining")) flags.emplace_back("draining");
  if (flags.empty() && !flag_at(gateway, "available")) flags.emplace_back("not listed");
  return flags.empty() ? "-" : joined(flags, ", ");
}

struct Totals {
  std::int64_t rooms = 0;
  std::int64_t users = 0;
  std::int64_t load = 0;
  std::int64_t capacity = 0;
};

Totals add_gateways(Table& table, const std::vector<http::Json>& gateways) {
  Totals totals;
  for (const auto& gateway : gateways) {
    const auto rooms = number_at(gateway, "rooms").value_or(0);
    const auto users = number_at(gateway, "users").value_or(0);
    const auto load = number_at(gateway, "load").value_or(0);
    const auto capacity = number_at(gateway, "capacity").value_or(0);
    table.add_row({text_at(gateway, "name"), text_at(gateway, "state"), flags_of(gateway),
                   or_dash(joined(texts_at(gateway, "regions"), ",")), std::to_string(rooms),
                   std::to_string(users), std::to_string(load), std::to_string(capacity),
                   percent(load, capacity)});
    totals.rooms += rooms;
    totals.users += users;
    totals.load += load;
    totals.capacity += capacity;
  }
  return totals;
}

std::string for_people(const Sidecar& sidecar, bool scale, const Health& health,
                       const std::vector<http::Json>& gateways) {
  std::string text = "Sidecar  " + printable(sidecar.address()) + "\nMode     " +
                     (scale ? "scale" : "legacy") + "\nHealth   " + printable(health.status) + '\n';
  for (const auto& reason : health.reasons) text += "         " + printable(reason) + '\n';
  text += '\n';
  if (gateways.empty()) return text + "No gateways are known.\n";
  Table table({{"GATEWAY"},
               {"STATE"},
               {"FLAGS"},
               {"REGIONS"},
               {"ROOMS", Align::right},
               {"USERS", Align::right},
               {"LOAD", Align::right},
               {"CAPACITY", Align::right},
               {"USED", Align::right}});
  const auto totals = add_gateways(table, gateways);
  if (gateways.size() > 1) {
    table.add_row({"total", "", "", "", std::to_string(totals.rooms), std::to_string(totals.users),
                   std::to_string(totals.load), std::to_string(totals.capacity),
                   percent(totals.load, totals.capacity)});
  }
  return text + table.text();
}

std::string for_programs(bool scale, const Health& health,
                         const std::vector<http::Json>& gateways) {
  http::JsonWriter json;
  json.begin_object().member("scale", scale).member("status", health.status);
  json.key("reasons").begin_array();
  for (const auto& reason : health.reasons) json.value(reason);
  json.end_array().key("gateways").begin_array();
  for (const auto& gateway : gateways) json.value(gateway);
  json.end_array().end_object();
  return json.take() + '\n';
}

}  // namespace

int status(const CommandLine& line, Terminal& terminal) {
  Sidecar sidecar(line);
  const auto health = health_of(sidecar.ask("GET", "/readyz"));
  const bool scale = flag_at(sidecar.expect("GET", "/v2/config").body, "scale");
  const auto gateways = items_at(sidecar.expect("GET", "/v2/gateways").body, "gateways");
  terminal.out << (line.json ? for_programs(scale, health, gateways)
                             : for_people(sidecar, scale, health, gateways));
  return kFine;
}

}  // namespace cli
