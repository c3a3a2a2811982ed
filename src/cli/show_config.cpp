#include "cli/commands.h"
#include "cli/configured.h"
#include "cli/table.h"
#include "http/json.h"

namespace cli {
namespace {

std::string as_json(const std::vector<config::Setting>& settings) {
  http::JsonWriter json;
  json.begin_object().key("settings").begin_array();
  for (const auto& setting : settings) {
    json.begin_object().member("key", setting.key).member("variable", setting.variable);
    json.member("value", setting.value).member("origin", setting.origin).end_object();
  }
  json.end_array().end_object();
  return json.take() + '\n';
}

std::string as_table(const std::vector<config::Setting>& settings) {
  Table table({{"SETTING"}, {"VARIABLE"}, {"VALUE"}, {"FROM"}});
  for (const auto& setting : settings) {
    table.add_row({setting.key, setting.variable, setting.value.empty() ? "-" : setting.value, setting.origin});
  }
  return table.text();
}

}  // namespace

int show_config(const CommandLine& line, Terminal& terminal) {
  const auto loaded = load_configuration(line);
  terminal.out << (line.json ? as_json(loaded.settings) : as_table(loaded.settings));
  print_problems(loaded, terminal.err);
  return loaded.ok() ? kFine : kWrongInput;
}

}  // namespace cli
