#include "cli/answer_fields.h"
#include "cli/cluster_view.h"
#include "cli/commands.h"
#include "cli/sidecar.h"
#include "cli/status_answers.h"
#include "cli/table.h"
#include "cli/watch_words.h"
#include "json/value.h"
#include "terms/terms.h"

namespace cli {
namespace {

struct Totals {
  std::int64_t rooms = 0;
  std::int64_t users = 0;
  std::int64_t load = 0;
  std::int64_t capacity = 0;
};

Totals add_gateways(Table& table, const std::vector<json::Value>& gateways) {
  Totals totals;
  for (const auto& gateway : gateways) {
    const auto rooms = number_at(gateway, "rooms").value_or(0);
    const auto users = number_at(gateway, "users").value_or(0);
    const auto load = number_at(gateway, "load").value_or(0);
    const auto capacity = number_at(gateway, "capacity").value_or(0);
    table.add_row({text_at(gateway, "name"), text_at(gateway, "state"), flags_of(gateway),
                   or_dash(joined(texts_at(gateway, "regions"), ",")), std::to_string(rooms), std::to_string(users),
                   std::to_string(load), std::to_string(capacity), percent(load, capacity)});
    totals.rooms += rooms;
    totals.users += users;
    totals.load += load;
    totals.capacity += capacity;
  }
  return totals;
}

std::string gateways_of(const StatusAnswers& status) {
  if (status.gateways.empty()) return terms::no_gateways() + '\n';
  Table table({{"GATEWAY"},
               {"STATE"},
               {"FLAGS"},
               {"REGIONS"},
               {"ROOMS", Align::right},
               {"USERS", Align::right},
               {"LOAD", Align::right},
               {"CAPACITY", Align::right},
               {"USED", Align::right}});
  const auto totals = add_gateways(table, status.gateways);
  if (status.gateways.size() > 1) {
    table.add_row({"total", "", "", "", std::to_string(totals.rooms), std::to_string(totals.users),
                   std::to_string(totals.load), std::to_string(totals.capacity),
                   percent(totals.load, totals.capacity)});
  }
  return table.text();
}

std::string for_people(const Sidecar& sidecar, const StatusAnswers& status) {
  std::string text = "Sidecar  " + printable(sidecar.address()) + "\nMode     " + (status.scale ? "scale" : "legacy") +
                     "\nHealth   " + printable(status.health) + '\n';
  for (const auto& reason : status.reasons) text += "         " + printable(reason) + '\n';
  constexpr std::size_t most_splits = 5;
  const auto whole_time = [](const std::string& time) { return time; };
  for (const auto& split : split_texts(status, most_splits, whole_time)) text += "         " + split + '\n';
  text += '\n' + gateways_of(status);
  if (status.cluster && cluster_is_shared(*status.cluster)) text += '\n' + cluster_tables(*status.cluster);
  return text;
}

}  // namespace

int status(const CommandLine& line, Terminal& terminal) {
  if (line.watch) return watch_status(line, terminal);
  Sidecar sidecar(line);
  const auto answers = ask_status(sidecar, std::chrono::seconds{10});
  terminal.out << (line.json ? for_programs(answers) + '\n' : for_people(sidecar, answers));
  return kFine;
}

}  // namespace cli
