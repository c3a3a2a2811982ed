// Texts that others wrote, as they may stand on a terminal or in a log: nothing in them can hide, forge or reorder what
// a person reads. Escaped are control characters, line ends, invisible characters, those that change the direction of
// writing, and bytes that are not UTF-8. Pure; any thread. Does not fail.
#pragma once

#include <string>
#include <string_view>

namespace domain {

// Characters that look like a blank and are none, as U+00A0.
enum class Blanks { kept, escaped };

// For people: \n \r \t, \x1b, \u202e, \U000e0001, and \xff for a byte that is not UTF-8.
std::string printable(std::string_view text, Blanks blanks = Blanks::escaped);

// The same as the inside of a JSON string: also " and \ are escaped, and each escape is one of JSON's.
void append_quoted(std::string& out, std::string_view text);

// Is there nothing to escape?
bool is_printable(std::string_view text);

}  // namespace domain
