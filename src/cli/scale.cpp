// scale: which mode answers, and the switch.

#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/configured.h"
#include "cli/reload.h"
#include "cli/replace_file.h"
#include "cli/table.h"
#include "config/scale_switch.h"
#include "json/writer.h"

namespace cli {
namespace {

std::string as_json(const std::string& mode) {
  json::Writer json;
  json.begin_object().member("mode", mode).end_object();
  return json.take() + '\n';
}

int show_mode(const CommandLine& line, Terminal& terminal) {
  Sidecar sidecar(line);
  const auto answer = sidecar.expect("GET", "/v2/config");
  const std::string mode = flag_at(answer.body, "scale") ? "scale" : "legacy";
  terminal.out << (line.json ? as_json(mode) : mode + " mode\n");
  return kFine;
}

// Returns what was done, for people.
std::string write_switch(const CommandLine& line, bool on) {
  const auto sources = config::default_sources(line.config_file, line.env_file, nullptr);
  const std::string path = config::env_file_of(sources);
  const std::string wanted = std::string("SCALE=") + (on ? "true" : "false");
  const auto old_text = read_whole(path);
  const auto new_text = config::with_scale(old_text.value_or(""), on);
  if (!new_text) {
    throw CommandFailed(printable(path) + " cannot be edited: a quote or a bracket in it is not closed; write " +
                        wanted + " into it by hand");
  }
  if (old_text == new_text) return printable(path) + " says " + wanted + " already.";
  replace_file(path, *new_text, sources.config_file);
  return printable(path) + " now says " + wanted + '.';
}

}  // namespace

int scale(const CommandLine& line, Terminal& terminal) {
  if (line.subject.empty()) return show_mode(line, terminal);
  const bool on = line.subject == "on";
  const auto done = write_switch(line, on);
  if (!line.json) terminal.out << done << '\n' << std::flush;
  const auto loaded = load_for_asking(line);
  if (!loaded.is_database_known && !line.server) {
    print_problems(loaded, terminal.err);
    throw CommandFailed("the configuration has errors, so the mode is unchanged; correct them, and reload");
  }
  Sidecar sidecar(line, Sidecar::Purpose::steer, loaded);
  const auto answer = ask_for_reload(sidecar, false, terminal);
  if (line.json) terminal.out << sidecar.with_address(answer) << '\n';
  const std::string wanted = on ? "scale" : "legacy";
  const std::string what_answers = "the sidecar at " + printable(sidecar.address()) + " answers in " + mode_in(answer);
  if (text_at(answer.body, "mode") != wanted) {
    throw CommandFailed(what_answers + ", not in " + wanted + " mode; " +
                        (answer.is_fine() ? "change SCALE where that is written" : "correct what it refused"));
  }
  if (!answer.is_fine()) {
    throw CommandFailed(what_answers + ", but refused the rest of the configuration", kWrongInput);
  }
  if (!line.json) terminal.out << "T" << what_answers.substr(1) << ".\n";
  return kFine;
}

}  // namespace cli
