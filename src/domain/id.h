// Which texts may be ids of rooms and sessions, or names of gateways. Any thread.
#pragma once

#include <string_view>

namespace domain {

// 1 to 255 bytes of UTF-8 without control characters (U+0000-001F, U+007F-009F); not "." or "..",
// which cannot travel in a path.
bool is_valid_id(std::string_view text);

// What a gateway may be called, wherever the name comes from; completes "… is not …".
inline constexpr std::string_view gateway_name_rule =
    "a gateway name (1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit)";
bool is_gateway_name(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace domain
