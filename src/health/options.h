// How the gateways are asked, and by whom they are heard of. How it is judged: domain/health_options.h.
#pragma once

#include <optional>
#include <string>

#include "domain/time.h"

namespace health {

struct Options {
  domain::Duration timeout = std::chrono::seconds{1};  // of one question by HTTP

  std::string mqtt_url = "mqtt://127.0.0.1:1883";  // or mqtts://
  std::string mqtt_topic = "janus/+/status";       // one "+", where the gateway's name stands
  std::optional<std::string> mqtt_user;
  std::optional<std::string> mqtt_password_file;
  std::optional<std::string> mqtt_ca_file;         // with mqtts: else the system's

  bool operator==(const Options&) const = default;
};

}  // namespace health
