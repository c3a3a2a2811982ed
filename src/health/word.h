// What a gateway's or a broker's text says. Pure; any thread. What says nothing is nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace health {

// Janus' answer to /info: {"janus":"server_info",…}.
bool is_server_info(std::string_view body);

// {"online":true} or {"online":false}, and nothing else beside it.
std::optional<bool> online_in(std::string_view payload);

// Where the gateway is asked by HTTP: its address with /info behind it; ws:// and wss:// are taken as
// http:// and https://. Empty if there is no such address.
std::string info_url(std::string_view address);

// What stands in the topic where the filter has its "+"; empty if the topic does not match.
std::string name_in_topic(std::string_view filter, std::string_view topic);

}  // namespace health
