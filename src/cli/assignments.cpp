#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/sidecar.h"
#include "cli/table.h"
#include "cli/target.h"
#include "json/value.h"
#include "json/writer.h"

namespace cli {
namespace {

std::string for_programs(const std::vector<json::Value>& assignments) {
  json::Writer json;
  json.begin_object().member("assignments", assignments).key("next").null().end_object();
  return json.take() + '\n';
}

std::string for_people(const std::vector<json::Value>& assignments, const CommandLine& line) {
  if (assignments.empty()) {
    return line.gateway ? "No room is assigned to gateway " + printable(*line.gateway) + ".\n"
                        : "No room is assigned.\n";
  }
  Table table({{"ROOM"}, {"GATEWAY"}, {"REGION"}, {"USERS", Align::right}, {"ASSIGNED"}, {"LAST USED"}});
  for (const auto& assignment : assignments) {
    table.add_row({text_at(assignment, "room"), text_at(assignment, "janus"), or_dash(text_at(assignment, "region")),
                   shown(number_at(assignment, "users")), or_dash(text_at(assignment, "assigned_at")),
                   or_dash(text_at(assignment, "last_used_at"))});
  }
  return table.text();
}

}  // namespace

int assignments(const CommandLine& line, Terminal& terminal) {
  Sidecar sidecar(line);
  std::string target = "/v2/assignments";
  if (line.gateway) target += "?gateway=" + percent_encoded(*line.gateway);
  const auto all = sidecar.all_pages(target, "assignments");
  terminal.out << (line.json ? for_programs(all) : for_people(all, line));
  return kFine;
}

}  // namespace cli
