// Rooms whose users are not all on the gateway that the room is answered with: as the gateways' lists show
// (app/room_lists.h), or as sessions report. Any thread; the caller's transaction, but for end_splits() and heal_splits().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "app/registry.h"

namespace app {

// The source that reports a room as split.
enum class SplitBy { lists, sessions };

// Notes it. The first report by lists is logged; session reports have log lines of their own.
void note_split(Registry::Transaction& transaction, const domain::RoomId& room, SplitBy by);
// That source does not report it any more.
void end_split(Registry::Transaction& transaction, const domain::RoomId& room, SplitBy by);

// A session has just reported where it is.
void look_for_split(Registry::Transaction& transaction, const domain::RoomId& room, const std::string& reported);
// Ends those splits of that source for which `is_over` is true, in slices.
void end_splits(Registry& registry, SplitBy by,
                const std::function<bool(Registry::Transaction&, const domain::RoomId& room)>& is_over);
// Ends the splits that no session reports any more. Every second or so.
void heal_splits(Registry& registry);

// The users of a room that is split, by gateways' names.
std::map<std::string, std::int64_t> parts_of(const Registry::View& view, const domain::RoomId& room);

}  // namespace app
