// The configured health sources as one: started, stopped and given the gateways to watch as settings and
// catalogue change. Any thread, one at a time; nothing is observed after the destructor.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "domain/gateway_health.h"
#include "health/http_source.h"
#include "health/mqtt_source.h"
#include "health/options.h"
#include "health/room_lists.h"

namespace health {

class Watch {
 public:
  struct Gateway {
    std::string name;
    std::string address;  // its admin_url or url
  };
  // Called from the sources' threads.
  using Observed = std::function<void(const std::string& gateway, domain::HealthSource source, bool good)>;

  Watch(Observed observed, RoomLists::Observed rooms, MqttSource::Nonsense nonsense)
      : observed_(std::move(observed)), rooms_(std::move(rooms)), nonsense_(std::move(nonsense)) {}

  void follow(const Options& options, const domain::HealthOptions& judging, const std::vector<Gateway>& gateways);

  // Why less is observed than there should be, a sentence each.
  std::vector<std::string> problems() const;
  // Is one of those that a whole source is silent?
  bool is_source_silent() const;

 private:
  const Observed observed_;
  const RoomLists::Observed rooms_;
  const MqttSource::Nonsense nonsense_;
  Options options_;
  domain::Duration interval_{};
  std::vector<std::string> unasked_;  // gateways without an address
  std::unique_ptr<HttpSource> http_;
  std::unique_ptr<MqttSource> mqtt_;
  std::unique_ptr<RoomLists> lists_;
};

}  // namespace health
