#include "app/evaluate_health.h"

#include <vector>

#include "logging/log.h"

namespace app {
namespace {

void log_transition(domain::GatewayState state, const std::string& gateway, domain::GatewayState before) {
  switch (state) {
    case domain::GatewayState::unknown:
      return logging::warn("Gateway's health is not known", {{"gateway_name", gateway}, {"before", to_text(before)}});
    case domain::GatewayState::up:
      return logging::info("Gateway is up", {{"gateway_name", gateway}, {"before", to_text(before)}});
    case domain::GatewayState::suspect:
      return logging::warn("Gateway is suspect", {{"gateway_name", gateway}, {"before", to_text(before)}});
    case domain::GatewayState::down:
      return logging::error("Gateway is down", {{"gateway_name", gateway}, {"before", to_text(before)}});
  }
}

}  // namespace

void observe_gateway(Registry& registry, std::string_view gateway, domain::HealthSource source, bool good) {
  Registry::Transaction transaction(registry);
  if (!transaction.policy().catalogue().gateway(gateway)) return;
  transaction.health().observe(transaction.ledger().number_of(gateway), source, good, transaction.now().service);
}

void evaluate_health(Registry& registry) {
  std::vector<domain::GatewayHealth::Transition> transitions;
  std::vector<std::string> names;
  bool braked = false;
  bool brakes = false;
  std::int64_t gateways = 0;
  std::int64_t down = 0;
  {
    Registry::Transaction transaction(registry);
    domain::GatewayHealth& health = transaction.health();
    if (!health.watches()) return;
    braked = health.brakes();
    transitions = health.evaluate(transaction.now().service);
    brakes = health.brakes();
    gateways = static_cast<std::int64_t>(health.watched());
    down = static_cast<std::int64_t>(health.count(domain::GatewayState::down));
    for (const auto& transition : transitions) names.push_back(transaction.ledger().name_of(transition.gateway));
  }
  for (std::size_t i = 0; i < transitions.size(); ++i)
    log_transition(transitions[i].now, names[i], transitions[i].before);
  if (brakes && !braked) {
    logging::error("Most gateways failed at once; no room is moved until more of them are up",
                   {{"gateways", gateways}, {"down", down}});
  } else if (braked && !brakes) {
    logging::info("Enough gateways are up; rooms may be moved again", {{"gateways", gateways}, {"down", down}});
  }
}

}  // namespace app
