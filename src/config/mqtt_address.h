// Whether a text names an MQTT broker, or a topic in which gateways report their status. Any thread.
#pragma once

#include <string_view>

namespace config {

// mqtt://host, mqtts://host, each with a port or without.
bool is_broker_url(std::string_view text);

// A topic filter with exactly one level "+", where the gateway's name stands, and no "#".
bool is_status_topic(std::string_view text);

}  // namespace config
