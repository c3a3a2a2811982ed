// The answer to a user or session that gets no gateway: its message names what is in the way, and what to do. Pure;
// any thread.
#pragma once

#include "app/answer_room.h"
#include "http/message.h"

namespace api {

http::Response refusal(const app::Refused& refused, const domain::RoomId& room);

}  // namespace api
