#include "config/toml_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace config {
namespace {

using Position = std::pair<std::size_t, std::size_t>;

Position position(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

Value value_of(const toml::node& node);

// The library keeps tables by name; regions and pins have the order of the file.
std::vector<Value> children_of(const toml::table& table) {
  std::vector<std::pair<Position, Value>> found;
  found.reserve(table.size());
  for (const auto& [key, node] : table) {
    Value value = value_of(node);
    value.key = std::string(key.str());
    value.line = key.source().begin.line;
    found.emplace_back(position(key.source()), std::move(value));
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Value> children;
  children.reserve(found.size());
  for (auto& item : found) children.push_back(std::move(item.second));
  return children;
}

Value value_of(const toml::node& node) {
  Value value;
  value.typed = true;
  value.line = node.source().begin.line;
  if (const toml::table* table = node.as_table()) {
    value.kind = Value::Kind::table;
    value.children = children_of(*table);
  } else if (const toml::array* array = node.as_array()) {
    value.kind = Value::Kind::list;
    value.children.reserve(array->size());
    for (const toml::node& item : *array) value.children.push_back(value_of(item));
  } else if (const auto* text = node.as_string()) {
    value.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.kind = Value::Kind::integer;
    value.integer = integer->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.kind = Value::Kind::boolean;
    value.boolean = boolean->get();
  } else {
    value.kind = Value::Kind::other;
    std::ostringstream written;
    if (const auto* number = node.as_floating_point()) written << *number;
    if (const auto* date = node.as_date()) written << *date;
    if (const auto* time = node.as_time()) written << *time;
    if (const auto* instant = node.as_date_time()) written << *instant;
    value.text = written.str();
  }
  return value;
}

// With its quotes. One that is not closed ends with its line, or as a longer one with the text.
std::size_t length_of_string(std::string_view text) {
  const char quote = text.front();
  const std::string three(3, quote);
  const std::string_view mark = text.substr(0, 3) == three ? text.substr(0, 3) : text.substr(0, 1);
  for (std::size_t i = mark.size(); i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    // The last three of four or five quotes in a row close.
    const bool goes_on = mark.size() == 3 && rest.size() > 3 && rest[3] == quote;
    if (rest.substr(0, mark.size()) == mark && !goes_on) return i + mark.size();
    if (rest.front() == '\n' && mark.size() == 1) return i;
    if (rest.front() == '\\' && quote == '"') ++i;
  }
  return text.size();
}

// The line with a key of more parts than anybody means, or 0. The library makes a table of each part
// and takes tables apart by recursion, so a key of 40 KB could end the process. Nested values it
// limits itself.
std::size_t line_of_endless_key(std::string_view text) {
  constexpr std::size_t most_dots = 64;  // in a line, outside of strings
  std::size_t line = 1;
  std::size_t dots = 0;
  while (!text.empty()) {
    const char c = text.front();
    std::size_t length = 1;
    if (c == '"' || c == '\'') length = length_of_string(text);
    if (c == '#') length = std::min(text.find('\n'), text.size());
    if (c == '\n') dots = 0;
    if (c == '.' && ++dots > most_dots) return line;
    line += static_cast<std::size_t>(std::count(text.begin(), text.begin() + length, '\n'));
    text.remove_prefix(length);
  }
  return 0;
}

}  // namespace

TomlText parse_toml(std::string_view text) {
  TomlText result;
  result.root.kind = Value::Kind::table;
  result.fault_line = line_of_endless_key(text);
  if (result.fault_line != 0) {
    result.valid = false;
    result.fault = "a key has too many parts (more than 64 dots in the line)";
    return result;
  }
  try {
    const toml::table table = toml::parse(text);
    result.root.children = children_of(table);
  } catch (const toml::parse_error& error) {
    result.valid = false;
    result.fault_line = error.source().begin.line;
    result.fault = error.description();
  }
  return result;
}

}  // namespace config
