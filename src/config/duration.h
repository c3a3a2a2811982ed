// Durations as operators write them: "90s", "1m30s", "500ms", "2h". Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/time.h"

namespace config {

// Whole numbers with the units h, m, s and ms, each at most once and the larger first; 0 to 10
// years (of 365 days). Nothing if the text is anything else: a bare number has no unit.
std::optional<domain::Duration> duration_from(std::string_view text);

// A text that duration_from reads back.
std::string to_text(domain::Duration duration);

}  // namespace config
