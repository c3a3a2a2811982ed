#include "app/judge_health.h"

#include <vector>

#include "app/event_log.h"

namespace app {
namespace {

void tell_of(domain::GatewayState state, const std::string& gateway, domain::GatewayState before) {
  switch (state) {
    case domain::GatewayState::unknown:
      return log_warn("Gateway's health is not known", {{"gateway_name", gateway}, {"before", to_text(before)}});
    case domain::GatewayState::up:
      return log_info("Gateway is up", {{"gateway_name", gateway}, {"before", to_text(before)}});
    case domain::GatewayState::suspect:
      return log_warn("Gateway is suspect", {{"gateway_name", gateway}, {"before", to_text(before)}});
    case domain::GatewayState::down:
      return log_error("Gateway is down", {{"gateway_name", gateway}, {"before", to_text(before)}});
  }
}

}  // namespace

void hear_of_gateway(Desk& desk, std::string_view gateway, domain::HealthSource source, bool good) {
  Desk::Turn turn(desk);
  if (!turn.policy().catalogue().gateway(gateway)) return;
  turn.health().hear(turn.ledger().number_of(gateway), source, good, turn.now().service);
}

void judge_health(Desk& desk) {
  std::vector<domain::GatewayHealth::Turnover> turnovers;
  std::vector<std::string> names;
  bool braked = false;
  bool brakes = false;
  std::int64_t gateways = 0;
  std::int64_t down = 0;
  {
    Desk::Turn turn(desk);
    domain::GatewayHealth& health = turn.health();
    if (!health.watches()) return;
    braked = health.brakes();
    turnovers = health.conclude(turn.now().service);
    brakes = health.brakes();
    gateways = static_cast<std::int64_t>(health.watched());
    down = static_cast<std::int64_t>(health.count(domain::GatewayState::down));
    for (const auto& turnover : turnovers) names.push_back(turn.ledger().name_of(turnover.gateway));
  }
  for (std::size_t i = 0; i < turnovers.size(); ++i) tell_of(turnovers[i].now, names[i], turnovers[i].before);
  if (brakes && !braked) {
    log_error("Most gateways failed at once; no room is moved until more of them are up",
              {{"gateways", gateways}, {"down", down}});
  } else if (braked && !brakes) {
    log_info("Enough gateways are up; rooms may be moved again", {{"gateways", gateways}, {"down", down}});
  }
}

}  // namespace app
