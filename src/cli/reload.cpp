#include "cli/reload.h"

#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/configured.h"
#include "cli/table.h"
#include "json/writer.h"

namespace cli {
namespace {

// A reload may have to wait for a database that another program holds.
constexpr std::chrono::seconds kReloadTime{30};

std::string value_or_none(const std::string& value) { return value.empty() ? "none" : printable(value); }

std::string for_people(const Sidecar::Answer& answer) {
  std::string text = "The new configuration is in effect.\n";
  if (text_at(answer.body, "mode").empty()) return text;  // an older sidecar
  text += "Mode: " + mode_in(answer) + '\n';
  text += "Gateways: " + shown(number_at(answer.body, "gateways")) +
          ", rooms: " + shown(number_at(answer.body, "rooms")) + '\n';
  const auto changed = items_at(answer.body, "changed");
  if (changed.empty()) text += "No setting changed.\n";
  for (const auto& change : changed) {
    text += "Changed: " + printable(text_at(change, "key")) + ": " + value_or_none(text_at(change, "before")) + " -> " +
            value_or_none(text_at(change, "after")) + " (" + printable(text_at(change, "origin")) + ")\n";
  }
  return text;
}

// The sidecar would refuse it, too.
[[noreturn]] void refuse_here(const config::Loaded& loaded, const CommandLine& line, Terminal& terminal) {
  print_problems(loaded, terminal.err);
  if (line.json) {
    json::Writer json;
    json.begin_object().member("error", "configuration_refused");
    json.member("message", "Correct the listed problems; the old configuration stays in force.");
    json.key("problems").begin_array();
    for (const auto& problem : loaded.problems) {
      if (problem.is_error) json.value(problem.text);
    }
    json.end_array().end_object();
    terminal.out << json.take() << '\n';
  }
  throw CommandFailed(
      "the configuration has errors, so no sidecar was asked: a running one keeps the old configuration", kWrongInput);
}

Sidecar sidecar_to_reload(const CommandLine& line, const config::Loaded& loaded, Terminal& terminal) {
  if (!line.server && !loaded.is_database_known) refuse_here(loaded, line, terminal);
  try {
    return Sidecar(line, Sidecar::Purpose::steer, loaded);
  } catch (const CommandFailed& failed) {
    if (line.server) throw;
    const bool holds_none = loaded.file == config::ConfigFile::blank || loaded.file == config::ConfigFile::comments;
    if (holds_none) {
      throw CommandFailed(
          "the configuration file holds no settings: put them back, or name the sidecar that they "
          "described with --server (" +
              std::string(failed.what()) + ')',
          kWrongInput);
    }
    if (loaded.ok() || dynamic_cast<const NotReached*>(&failed)) throw;
    refuse_here(loaded, line, terminal);
  }
}

}  // namespace

Sidecar::Answer ask_for_reload(Sidecar& sidecar, bool allow_removals, Terminal& terminal) {
  auto answer = sidecar.ask("POST", allow_removals ? "/v2/reload?allow_removals=true" : "/v2/reload", kReloadTime);
  for (const auto& warning : texts_at(answer.body, "warnings")) {
    terminal.err << "warning: " << printable(warning) << '\n';
  }
  for (const auto& problem : texts_at(answer.body, "problems")) {
    terminal.err << "error: " << printable(problem) << '\n';
  }
  const bool is_refusal = text_at(answer.body, "error") == "configuration_refused";
  if (!answer.is_fine() && !is_refusal) throw CommandFailed(Sidecar::refusal(answer));
  return answer;
}

std::string mode_in(const Sidecar::Answer& answer) {
  return printable(text_at(answer.body, "mode")) + " mode (" + printable(text_at(answer.body, "mode_origin")) + ')';
}

int reload(const CommandLine& line, Terminal& terminal) {
  const auto loaded = load_for_asking(line);
  Sidecar sidecar = sidecar_to_reload(line, loaded, terminal);
  const auto answer = ask_for_reload(sidecar, line.allow_removals, terminal);
  if (line.json) terminal.out << sidecar.with_address(answer) << '\n';
  if (!answer.is_fine()) {
    throw CommandFailed(
        "the sidecar at " + printable(sidecar.address()) + " refused the configuration and keeps the old one",
        kWrongInput);
  }
  if (!line.json) terminal.out << for_people(answer) << "Sidecar: " << printable(sidecar.address()) << '\n';
  return kFine;
}

}  // namespace cli
