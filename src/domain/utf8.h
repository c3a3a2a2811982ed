// Characters of a text in UTF-8. Pure; any thread.
#pragma once

#include <string_view>

namespace domain {

constexpr char32_t no_character = 0xFFFFFFFF;

// Takes one character off the front of the text, which is not empty. If the bytes there are not UTF-8 (RFC 3629: no
// overlong forms, no surrogates, nothing above U+10FFFF): no_character, and the text stays.
char32_t take_character(std::string_view& text);

}  // namespace domain
