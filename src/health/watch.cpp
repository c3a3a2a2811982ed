#include "health/watch.h"

#include <set>

#include "health/probe_result.h"

namespace health {

using domain::HealthSource;

namespace {

std::string some(const std::vector<std::string>& gateways) {
  const std::size_t more = gateways.size() - 1;
  return "gateway " + gateways.front() + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

}  // namespace

void Watch::follow(const Options& options, const domain::HealthOptions& judging, const std::vector<Gateway>& gateways) {
  const bool changed = options != options_ || judging.interval != interval_;
  options_ = options;
  interval_ = judging.interval;
  if (changed || !judging.http) http_.reset();
  if (changed || !judging.mqtt) mqtt_.reset();
  if (judging.http && !http_) {
    http_ = std::make_unique<HttpSource>(interval_, options_.timeout, [this](const std::string& gateway, bool good) {
      observed_(gateway, HealthSource::http, good);
    });
  }
  if (judging.mqtt && !mqtt_) {
    mqtt_ = std::make_unique<MqttSource>(
        options_, interval_,
        [this](const std::string& gateway, bool good) { observed_(gateway, HealthSource::mqtt, good); }, nonsense_);
  }
  if (changed) lists_.reset();
  if (options_.occupancy.janus && !lists_) lists_ = std::make_unique<RoomLists>(options_.occupancy, rooms_);
  unasked_.clear();
  if (mqtt_) {
    std::set<std::string> names;
    for (const Gateway& gateway : gateways) names.insert(gateway.name);
    mqtt_->know(std::move(names));
  }
  if (!http_ && !lists_) return;
  std::vector<Target> targets;
  std::vector<Target> list_targets;
  for (const Gateway& gateway : gateways) {
    const std::string url = api_url(gateway.address);
    if (url.empty()) {
      unasked_.push_back(gateway.name);
    } else {
      targets.push_back({gateway.name, url + "/info"});
      list_targets.push_back({gateway.name, url});
    }
  }
  if (http_) http_->ask(std::move(targets));
  if (lists_) lists_->ask(std::move(list_targets));
}

std::vector<std::string> Watch::problems() const {
  std::vector<std::string> problems;
  if (mqtt_) {
    if (const auto problem = mqtt_->problem()) problems.push_back(*problem);
  }
  if (!unasked_.empty()) {
    problems.push_back(some(unasked_) +
                       " cannot be asked by HTTP: give each a url or admin_url with http:// or https://");
  }
  const std::vector<std::string> silent = lists_ ? lists_->silent() : std::vector<std::string>{};
  if (!silent.empty()) problems.push_back(some(silent) + " did not list rooms when last asked");
  return problems;
}

bool Watch::is_source_silent() const { return mqtt_ && mqtt_->problem(); }

}  // namespace health
