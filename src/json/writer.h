// Writes compact JSON. One thread at a time; nothing fails.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/value.h"

namespace json {

// Appends the text as a JSON string with its quotes; what is not UTF-8 becomes U+FFFD.
std::string& append_string(std::string& out, std::string_view text);

// Writes compact JSON, and knows where commas go. The caller keeps brackets paired.
class Writer {
 public:
  Writer& begin_object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& begin_array() { return open('['); }
  Writer& end_array() { return close(']'); }
  Writer& key(std::string_view name);

  Writer& null();
  Writer& value(bool value);
  Writer& value(std::int64_t value);
  Writer& value(std::uint64_t value);
  template <std::signed_integral T>
  Writer& value(T value) {
    return this->value(static_cast<std::int64_t>(value));
  }
  template <std::unsigned_integral T>
  Writer& value(T value) {
    return this->value(static_cast<std::uint64_t>(value));
  }
  Writer& value(double value);  // what JSON can't write (infinite, not a number) becomes null
  Writer& value(std::string_view value);
  Writer& value(const char* value) { return this->value(std::string_view(value)); }
  Writer& value(const std::string& value) { return this->value(std::string_view(value)); }
  Writer& value(const Value& value);
  template <class T>
  Writer& value(const std::optional<T>& value) {
    return value ? this->value(*value) : null();
  }
  template <class T>
  Writer& value(const std::vector<T>& values) {
    begin_array();
    for (const auto& one : values) this->value(one);
    return end_array();
  }

  template <class T>
  Writer& member(std::string_view name, const T& value) {
    return key(name).value(value);
  }

  std::string take() { return std::move(text_); }

 private:
  void separate();
  Writer& open(char bracket);
  Writer& close(char bracket);

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace json
