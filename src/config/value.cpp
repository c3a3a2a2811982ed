#include "config/value.h"

#include "config/lists.h"
#include "domain/printable.h"

namespace config {
namespace {

constexpr std::size_t longest_shown = 200;  // a line of a terminal or two

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

const Value* Value::find(std::string_view name) const {
  if (kind != Kind::table) return nullptr;
  for (const Value& child : children) {
    if (child.key == name) return &child;
  }
  return nullptr;
}

Value untyped(std::string_view text, std::size_t line) {
  Value value;
  value.text = text;
  value.line = line;
  return value;
}

bool is_blank(const Value& value) { return value.is_text() && trimmed(value.text).empty(); }

std::string shown(const Value& value) {
  switch (value.kind) {
    case Value::Kind::text:
      return in_quotes(value.text);
    case Value::Kind::integer:
      return std::to_string(value.integer);
    case Value::Kind::boolean:
      return value.boolean ? "true" : "false";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::table:
      return "a table";
    case Value::Kind::other:
      break;
  }
  return value.text;
}

std::string in_quotes(std::string_view text) {
  const bool cut = text.size() > longest_shown;
  if (cut) {
    std::size_t end = longest_shown;
    while (end > 0 && is_continuation(text[end])) --end;
    text = text.substr(0, end);
  }
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return "\"" + domain::printable(escaped) + (cut ? "…\"" : "\"");
}

}  // namespace config
