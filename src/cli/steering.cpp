// drain, undrain and release: what changes the running sidecar.
#include "cli/commands.h"
#include "cli/sidecar.h"
#include "cli/table.h"
#include "cli/target.h"
#include "terms/terms.h"

namespace cli {
namespace {

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
               (line.move ? terms::drained_and_moved : terms::drained)(printable(line.subject)),
               line.move ? R"({"move":true})" : "");
}

int undrain(const CommandLine& line, Terminal& terminal) {
  return steer(line, terminal, "DELETE", drain_target(line), terms::undrained(printable(line.subject)));
}

int release(const CommandLine& line, Terminal& terminal) {
  auto target = "/v2/assignments/" + percent_encoded(line.subject);
  if (line.force) target += "?force=true";
  return steer(line, terminal, "DELETE", target, terms::room_released(printable(line.subject)));
}

}  // namespace cli
