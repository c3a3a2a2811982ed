// The two kinds of time: the wall's, which people read, and the service's, by which things expire.
// Any thread. Nothing here reads a clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace domain {

// For display and for the database only; it may jump.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

// Monotonic, and stands still while the process does (app/clock.h). All expiry is reckoned in it.
using ServiceTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::milliseconds;

// "2026-11-23T03:27:00.123Z", the form of the HTTP interface and of the database file.
std::string to_text(WallTime time);

// The inverse; nothing if the text has another form or names no instant.
std::optional<WallTime> wall_time_from(std::string_view text);

}  // namespace domain
