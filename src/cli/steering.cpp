// drain, undrain, release and reload: what changes the running sidecar.
#include "cli/answer_fields.h"
#include "cli/commands.h"
#include "cli/sidecar.h"
#include "cli/table.h"
#include "cli/target.h"

namespace cli {
namespace {

// A reload may have to wait for a database that another program holds.
constexpr std::chrono::seconds kReloadTime{30};

int steer(const CommandLine& line, Terminal& terminal, std::string_view method, const std::string& target,
          const std::string& done, const std::string& body = "") {
  Sidecar sidecar(line, Sidecar::Purpose::steer);
  const auto answer = sidecar.expect(method, target, body);
  terminal.out << (line.json ? sidecar.with_address(answer) : done + "\nSidecar: " + printable(sidecar.address()))
               << '\n';
  return kFine;
}

std::string drain_target(const CommandLine& line) { return "/v2/gateways/" + percent_encoded(line.subject) + "/drain"; }

}  // namespace

int drain(const CommandLine& line, Terminal& terminal) {
  return steer(line, terminal, "PUT", drain_target(line),
               "Gateway " + printable(line.subject) + " gets no new rooms from now on; the rooms there " +
                   (line.move ? "move to others, as far as these can take them." : "stay."),
               line.move ? R"({"move":true})" : "");
}

int undrain(const CommandLine& line, Terminal& terminal) {
  return steer(line, terminal, "DELETE", drain_target(line),
               "Gateway " + printable(line.subject) + " gets new rooms again.");
}

int release(const CommandLine& line, Terminal& terminal) {
  auto target = "/v2/assignments/" + percent_encoded(line.subject);
  if (line.force) target += "?force=true";
  return steer(line, terminal, "DELETE", target,
               "Room " + printable(line.subject) + " is released; the next request places it anew.");
}

int reload(const CommandLine& line, Terminal& terminal) {
  Sidecar sidecar(line, Sidecar::Purpose::steer);
  const auto answer = sidecar.ask("POST", "/v2/reload", kReloadTime);
  if (line.json) terminal.out << sidecar.with_address(answer) << '\n';
  if (answer.is_fine()) {
    for (const auto& warning : texts_at(answer.body, "warnings")) {
      terminal.err << "warning: " << printable(warning) << '\n';
    }
    if (!line.json) {
      terminal.out << "The new configuration is in effect.\nSidecar: " << printable(sidecar.address()) << '\n';
    }
    return kFine;
  }
  const auto problems = texts_at(answer.body, "problems");
  for (const auto& problem : problems) terminal.err << "error: " << printable(problem) << '\n';
  const bool refused = text_at(answer.body, "error") == "configuration_refused";
  throw CommandFailed(
      refused ? "the sidecar at " + printable(sidecar.address()) + " refused the configuration and keeps the old one"
              : Sidecar::refusal(answer),
      refused ? kWrongInput : kFailed);
}

}  // namespace cli
