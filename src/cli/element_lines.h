// Where the elements of a JSON array stand in its text, which a parsed tree no longer knows.
// Pure; any thread. Expects JSON that has been parsed before.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace cli {

// The line, from 1, on which each element begins: of the outermost array, or with a `key` of that
// member of the outermost object (the last one of that name).
std::vector<std::size_t> element_lines(std::string_view json, std::string_view key);

}  // namespace cli
