#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/sidecar.h"
#include "cli/table.h"
#include "json/value.h"
#include "terms/terms.h"

namespace cli {
namespace {

std::string for_people(const std::vector<json::Value>& splits) {
  if (splits.empty()) return terms::no_splits() + '\n';
  Table table({{"ROOM"}, {"ANSWERED"}, {"PARTICIPANTS"}, {"SINCE"}});
  for (const auto& split : splits) {
    std::vector<std::string> parts;
    for (const auto& part : items_at(split, "gateways")) {
      parts.push_back(text_at(part, "name") + ":" + shown(number_at(part, "participants")));
    }
    table.add_row({text_at(split, "room"), or_dash(text_at(split, "janus")), joined(parts, ","),
                   or_dash(text_at(split, "since"))});
  }
  return table.text();
}

}  // namespace

int splits(const CommandLine& line, Terminal& terminal) {
  Sidecar sidecar(line);
  const auto answer = sidecar.expect("GET", "/v2/splits");
  terminal.out << (line.json ? answer.text + '\n' : for_people(items_at(answer.body, "splits")));
  return kFine;
}

}  // namespace cli
