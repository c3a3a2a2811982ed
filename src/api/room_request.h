// The body of POST /v2/room_server, as read: which room, and where the user is. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "api/fields.h"
#include "domain/room_id.h"

namespace api {

struct RoomRequest {
  domain::RoomId room;  // a valid id
  std::string country;  // as sent; "" for none
};

// {"room":"2171","geo":{"country_code":"IL"}}: `geo` and `country_code` may be missing or null.
OrRefusal<RoomRequest> parse_room_request(std::string_view body);

}  // namespace api
