#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/configured.h"
#include "cli/running_settings.h"
#include "cli/table.h"
#include "json/writer.h"

namespace cli {
namespace {

using Running = std::optional<RunningSettings>;

const RunningSettings::Value* in_force(const Running& running, const std::string& key) {
  if (!running) return nullptr;
  const auto found = running->in_force.find(key);
  return found == running->in_force.end() ? nullptr : &found->second;
}

std::string as_json(const std::vector<config::Setting>& settings, const Running& running) {
  json::Writer json;
  json.begin_object().key("settings").begin_array();
  for (const auto& setting : settings) {
    json.begin_object().member("key", setting.key).member("variable", setting.variable);
    json.member("value", setting.value).member("origin", setting.origin);
    if (const auto* value = in_force(running, setting.key)) {
      json.member("in_force", value->value).member("in_force_origin", value->origin);
    }
    json.end_object();
  }
  json.end_array().key("running");
  if (running) {
    json.begin_object()
        .member("address", running->address)
        .member("a_reload_would_change", running->changes)
        .member("a_reload_would_be_refused_for", running->problems)
        .end_object();
  } else {
    json.null();
  }
  json.end_object();
  return json.take() + '\n';
}

std::string as_table(const std::vector<config::Setting>& settings, const Running& running) {
  std::vector<Column> columns{{"SETTING"}, {"VARIABLE"}, {"VALUE"}, {"FROM"}};
  if (running) columns.push_back({"IN FORCE"});
  Table table(std::move(columns));
  for (const auto& setting : settings) {
    std::vector<std::string> row{setting.key, setting.variable, or_dash(setting.value), setting.origin};
    if (running) {
      const auto* value = in_force(running, setting.key);
      const bool is_other = value && value->value != setting.value;
      row.push_back(!value ? "?" : is_other ? or_dash(value->value) + " (" + value->origin + ')' : "the same");
    }
    table.add_row(row);
  }
  return table.text();
}

std::string about(const RunningSettings& running) {
  std::string text = "\nIn force in the sidecar at " + printable(running.address) + ". ";
  if (!running.problems.empty()) {
    text += "A reload would be refused:\n";
    for (const auto& problem : running.problems) text += "  " + printable(problem) + '\n';
  } else if (running.changes.empty()) {
    text += "A reload would change nothing.\n";
  } else {
    text += "A reload would change:\n";
    for (const auto& change : running.changes) text += "  " + printable(change) + '\n';
  }
  return text;
}

}  // namespace

int show_config(const CommandLine& line, Terminal& terminal) {
  const auto loaded = load_configuration(line);
  std::string problem;
  const auto running = running_settings(line, loaded, problem);
  if (line.json) {
    terminal.out << as_json(loaded.settings, running);
  } else {
    terminal.out << as_table(loaded.settings, running) << (running ? about(*running) : "");
  }
  print_problems(loaded, terminal.err);
  if (!problem.empty()) terminal.err << "warning: what is in force is not known: " << problem << '\n';
  return loaded.ok() ? kFine : kWrongInput;
}

}  // namespace cli
