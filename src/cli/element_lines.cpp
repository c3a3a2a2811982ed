#include "cli/element_lines.h"

namespace cli {

std::vector<std::size_t> element_lines(std::string_view json, std::string_view key) {
  const int wanted_depth = key.empty() ? 1 : 2;
  std::vector<std::size_t> lines;
  std::string_view last_string;  // at depth 1, where it is the key of what follows
  std::size_t line = 1;
  int depth = 0;
  bool in_wanted = false;
  bool at_element = false;  // does the next thing begin an element?
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char character = json[i];
    if (character == '\n') ++line;
    if (character == ' ' || character == '\t' || character == '\n' || character == '\r') continue;
    if (at_element && character != ']') lines.push_back(line);
    at_element = false;
    if (character == '"') {
      const auto begin = ++i;
      while (i < json.size() && json[i] != '"') i += json[i] == '\\' ? 2u : 1u;
      if (depth == 1) last_string = json.substr(begin, i - begin);
    } else if (character == '[' || character == '{') {
      ++depth;
      if (character == '[' && depth == wanted_depth && last_string == key) {
        lines.clear();
        in_wanted = true;
        at_element = true;
      }
    } else if (character == ']' || character == '}') {
      if (depth == wanted_depth) in_wanted = false;
      --depth;
    } else if (character == ',') {
      at_element = in_wanted && depth == wanted_depth;
    }
  }
  return lines;
}

}  // namespace cli
