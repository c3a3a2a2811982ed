// The probe result in a gateway's or a broker's text; nothing if there is none. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "domain/room_id.h"

namespace health {

// Janus' answer to /info: {"janus":"server_info",…}.
bool is_server_info(std::string_view body);

// {"online":true} or {"online":false}, and nothing else beside it.
std::optional<bool> online_in(std::string_view payload);

// Where the gateway's API is, by its address: without a slash at the end; ws:// and wss:// are taken as http://
// and https://. Empty if there is no such address.
std::string api_url(std::string_view address);

// Janus' answer to the creation of a session, or of a handle in one: its id.
std::optional<std::uint64_t> created_id(std::string_view body);
// The rooms that the videoroom plugin lists, with their participants; nothing if that is no such list.
std::optional<std::map<domain::RoomId, std::int64_t>> listed_rooms(std::string_view body);

// What stands in the topic where the filter has its "+"; empty if the topic does not match.
std::string name_in_topic(std::string_view filter, std::string_view topic);

}  // namespace health
