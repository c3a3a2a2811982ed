#include "config/toml_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace config {
namespace {

using Position = std::pair<std::size_t, std::size_t>;

Position position(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

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
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
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

}  // namespace

TomlText parse_toml(std::string_view text) {
  TomlText result;
  result.root.kind = Value::Kind::table;
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
