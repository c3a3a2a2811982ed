// A value as a source wrote it, before anybody knows what it means: config.toml gives it a type,
// `.env` and the environment give a text that may mean anything. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace config {

struct Value {
  enum class Kind { text, integer, boolean, list, table, other };

  Kind kind = Kind::text;
  bool typed = false;  // from config.toml: a text there is no number
  std::string key;     // in a table: what it is called there
  std::string text;    // text; other: as it would be written
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<Value> children;  // list and table, in the order of the file
  std::size_t line = 0;         // 0: there are no lines

  bool is_text() const { return kind == Kind::text; }
  // Nothing if this is no table or has no such key.
  const Value* find(std::string_view name) const;
};

// A text that a source without types gave.
Value untyped(std::string_view text, std::size_t line);

// An empty value counts as not set.
bool is_blank(const Value& value);

// For messages: "abc" in quotes and escaped, 5, true, a list, a table. Long texts are cut.
std::string shown(const Value& value);
std::string in_quotes(std::string_view text);

}  // namespace config
