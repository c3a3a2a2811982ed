// Rooms whose users are not all on the gateway that the room is answered with: as the gateways' lists say
// (app/room_lists.h), or as sessions report. Any thread; the caller's transaction, but for end_splits() and heal_splits().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "app/registry.h"

namespace app {

// The source of the word that a room is split.
enum class SplitBy { lists, sessions };

// Notes it. The log is told of the first word of lists; of sessions it has lines of its own.
void note_split(Registry::Transaction& transaction, const std::string& room, SplitBy by);
// That one says so no more.
void end_split(Registry::Transaction& transaction, const std::string& room, SplitBy by);

// A session has just reported where it is.
void look_for_split(Registry::Transaction& transaction, const std::string& room, const std::string& reported);
// Ends those splits of that source for which `is_over` is true, in slices.
void end_splits(Registry& registry, SplitBy by,
                const std::function<bool(Registry::Transaction&, const std::string& room)>& is_over);
// Ends the splits that no session reports any more. Every second or so.
void heal_splits(Registry& registry);

// The users of a room that is split, by gateways' names.
std::map<std::string, std::int64_t> parts_of(Registry::Transaction& transaction, const std::string& room);

}  // namespace app
