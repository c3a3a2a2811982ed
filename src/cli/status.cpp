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
  const auto add_row = [&](std::vector<std::string> row, const std::vector<json::Value>& gateways) {
    for (const char* key : {"rooms", "users", "load", "capacity"}) row.push_back(std::to_string(sum_of(gateways, key)));
    row.push_back(percent(sum_of(gateways, "load"), sum_of(gateways, "capacity")));
    table.add_row(row);
  };
  for (const auto& gateway : status.gateways) {
    add_row({text_at(gateway, "name"), text_at(gateway, "state"), flags_of(gateway),
             or_dash(joined(texts_at(gateway, "regions"), ","))},
            {gateway});
  }
  if (status.gateways.size() > 1) add_row({"total", "", "", ""}, status.gateways);
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
