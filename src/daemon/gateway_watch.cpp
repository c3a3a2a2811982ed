#include "daemon/gateway_watch.h"

#include <set>
#include <utility>

#include "app/evaluate_health.h"
#include "logging/log.h"

namespace sidecar {

GatewayWatch::GatewayWatch(app::Registry& registry, health::Options options)
    : registry_(registry),
      options_(std::move(options)),
      rooms_(registry),
      watch_(
          [this](const std::string& gateway, domain::HealthSource source, bool good) {
            app::observe_gateway(registry_, gateway, source, good);
          },
          [this](const std::string& gateway, app::RoomLists::List list) { rooms_.observe(gateway, std::move(list)); },
          [](const std::string& topic) {
            logging::warn("Message ignored: it is not {\"online\":true} or {\"online\":false} of a gateway",
                          {{"topic", topic}});
          }) {}

void GatewayWatch::configure(const health::Options& options) {
  const locks::MutexLock lock(mutex_);
  options_ = options;
  changed_ = true;
}

void GatewayWatch::keep_up() {
  follow_and_log();
  rooms_.evaluate();
}

void GatewayWatch::follow_and_log() {
  const auto policy = registry_.policy();
  const locks::MutexLock lock(mutex_);
  if (changed_ || policy != followed_) follow(policy);
  log_problems();
}

void GatewayWatch::log_problems() {
  const auto news = news_.of(watch_.problems());
  // Without its source nothing is moved: as urgent as if most gateways had failed.
  const auto log = watch_.is_source_silent() ? logging::error : logging::warn;
  for (const std::string& problem : news.problems) {
    log("Health of gateways is only partly known", {{"reason", problem}});
  }
  if (news.are_over) logging::info("All sources of gateways' health work again");
}

void GatewayWatch::follow(const std::shared_ptr<const domain::Policy>& policy) {
  std::vector<health::Watch::Gateway> gateways;
  std::set<std::string> listing;
  for (const domain::Gateway& gateway : policy->catalogue().gateways()) {
    if (!gateway.has_rooms()) continue;
    gateways.push_back({gateway.name, gateway.admin_url.empty() ? gateway.url : gateway.admin_url});
    if (options_.occupancy.janus) listing.insert(gateway.name);
  }
  rooms_.follow(listing, options_.occupancy.interval);
  watch_.follow(options_, policy->options().health, gateways);
  followed_ = policy;
  changed_ = false;
}

std::vector<std::string> GatewayWatch::problems() const {
  const locks::MutexLock lock(mutex_);
  return watch_.problems();
}

}  // namespace sidecar
