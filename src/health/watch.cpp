#include "health/watch.h"

#include "health/word.h"

namespace health {

using domain::HealthSource;

void Watch::follow(const Options& options, const domain::HealthOptions& judging,
                   const std::vector<Gateway>& gateways) {
  const bool changed = options != options_ || judging.interval != interval_;
  options_ = options;
  interval_ = judging.interval;
  if (changed || !judging.http) http_.reset();
  if (changed || !judging.mqtt) mqtt_.reset();
  if (judging.http && !http_) {
    http_ = std::make_unique<HttpSource>(
        interval_, options_.timeout,
        [this](const std::string& gateway, bool good) { heard_(gateway, HealthSource::http, good); });
  }
  if (judging.mqtt && !mqtt_) {
    mqtt_ = std::make_unique<MqttSource>(
        options_, interval_,
        [this](const std::string& gateway, bool good) { heard_(gateway, HealthSource::mqtt, good); },
        nonsense_);
  }
  unasked_.clear();
  if (!http_) return;
  std::vector<Target> targets;
  for (const Gateway& gateway : gateways) {
    std::string url = info_url(gateway.address);
    if (url.empty()) {
      unasked_.push_back(gateway.name);
    } else {
      targets.push_back({gateway.name, std::move(url)});
    }
  }
  http_->ask(std::move(targets));
}

std::vector<std::string> Watch::troubles() const {
  std::vector<std::string> troubles;
  if (mqtt_) {
    if (const auto trouble = mqtt_->trouble()) troubles.push_back(*trouble);
  }
  if (!unasked_.empty()) {
    troubles.push_back("gateway " + unasked_.front() + " and " + std::to_string(unasked_.size() - 1) +
                       " more cannot be asked by HTTP: give each a url or admin_url with http:// or https://");
  }
  return troubles;
}

}  // namespace health
