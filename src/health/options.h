// How the gateways are asked, and which broker reports on them. How it is judged: domain/health_options.h.
#pragma once

#include <optional>
#include <string>

#include "domain/time.h"

namespace health {

// How they are asked for the rooms on them.
struct OccupancyOptions {
  bool janus = false;  // are they?
  domain::Duration interval = std::chrono::seconds{10};
  domain::Duration timeout = std::chrono::seconds{3};  // of each request
  std::optional<std::string> secret_file;              // Janus' api_secret, or admin_secret
  std::optional<std::string> token_file;               // of Janus' token_auth

  bool operator==(const OccupancyOptions&) const = default;
};

struct Options {
  domain::Duration timeout = std::chrono::seconds{1};  // of one question by HTTP

  std::string mqtt_url = "mqtt://127.0.0.1:1883";  // or mqtts://
  std::string mqtt_topic = "janus/+/status";       // one "+", where the gateway's name stands
  std::optional<std::string> mqtt_user;
  std::optional<std::string> mqtt_password_file;
  std::optional<std::string> mqtt_ca_file;  // with mqtts: else the system's

  OccupancyOptions occupancy;

  bool operator==(const Options&) const = default;
};

}  // namespace health
