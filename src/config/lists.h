// Texts that hold lists: "gxy1, gxy2,,gxy1" is gxy1 and gxy2. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace config {

// Without the blanks (space, tab, line ends) around it.
std::string_view trimmed(std::string_view text);

// A to Z as a to z, and all else as it is.
std::string lower_case(std::string_view text);

// The trimmed items between the separators; empty ones vanish.
std::vector<std::string> split(std::string_view text, char separator);

// Keeps the first of equal items, in order.
void collapse_duplicates(std::vector<std::string>& items);

// The inverse of split.
std::string joined(const std::vector<std::string>& items, std::string_view separator);

}  // namespace config
