// Sets SCALE in the text of a `.env` file. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace config {

// The text with which SCALE is `on`: the line that counts is changed in place, else one is added at the end. The last
// line gets the line end that it lacks. All other bytes stay. Nothing if no line at the end would be read.
std::optional<std::string> with_scale(std::string_view text, bool on);

}  // namespace config
