// Times in columns, also as others write them. Private to store/. Any thread. Does not fail.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/time.h"

namespace store {

// Reads YYYY-MM-DD[( |T)HH:MM[:SS[.fraction]][Z|±HH[:MM]]]: so write ours, SQLite's datetime(), PostgreSQL and JavaScript.
// Without a zone it is UTC. Nothing if the text has another form or names no instant.
std::optional<domain::WallTime> column_time(std::string_view text);

// Any text in `removed_at` means removed; the time is given only where it can be read.
std::optional<domain::WallTime> removal_time(const std::optional<std::string>& text);

std::optional<std::string> text_of(const std::optional<domain::WallTime>& time);

}  // namespace store
