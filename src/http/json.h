// JSON for the HTTP interface: a small tree to read requests from, and a writer for answers.
// A Json is immutable once parsed; any thread may read it.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace http {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;  // in the order written

  Json() = default;  // null
  explicit Json(bool value) : value_(value) {}
  explicit Json(std::uint64_t value) : value_(value) {}
  explicit Json(std::int64_t value) : value_(value) {}
  explicit Json(std::string value) : value_(std::move(value)) {}
  explicit Json(Array value) : value_(std::move(value)) {}
  explicit Json(Object value) : value_(std::move(value)) {}

  // Exactly one value; of a key given twice the last counts. Values nested deeper than `max_depth`
  // are read as null: nobody asks for them, and no text may exhaust the stack. On failure nothing
  // is returned and `*problem`, if given, says why.
  static constexpr std::size_t max_depth = 200;
  static std::optional<Json> parse(std::string_view text, std::string* problem = nullptr);

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  // Written without sign, point and exponent, and below 2^64?
  bool is_unsigned() const { return std::holds_alternative<std::uint64_t>(value_); }
  bool is_string() const { return string() != nullptr; }
  bool is_object() const { return object() != nullptr; }

  // The value, or null if it is of another type.
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const std::uint64_t* unsigned_number() const { return std::get_if<std::uint64_t>(&value_); }
  const std::int64_t* signed_number() const { return std::get_if<std::int64_t>(&value_); }
  const std::string* string() const { return std::get_if<std::string>(&value_); }
  const Array* array() const { return std::get_if<Array>(&value_); }
  const Object* object() const { return std::get_if<Object>(&value_); }
  // What is none of these, as written: a number of another form (1.0, 1e400), a string with a lone surrogate.
  const std::string* verbatim() const;

  // The member of that name; null if there is none, or if this is no object.
  const Json* find(std::string_view key) const;

  // Compact; invalid UTF-8 in strings is replaced.
  std::string dump() const;

 private:
  friend class JsonBuilder;
  struct Verbatim {
    std::string token;
  };
  std::variant<std::monostate, bool, std::uint64_t, std::int64_t, std::string, Verbatim, Array, Object> value_;
};

// Appends the text as a JSON string with its quotes; what is not UTF-8 becomes U+FFFD.
std::string& append_json_string(std::string& out, std::string_view text);

// Writes compact JSON, and knows where commas go. The caller keeps brackets paired.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& null();
  JsonWriter& value(bool value);
  JsonWriter& value(std::int64_t value);
  JsonWriter& value(std::uint64_t value);
  template <std::signed_integral T>
  JsonWriter& value(T value) {
    return this->value(static_cast<std::int64_t>(value));
  }
  template <std::unsigned_integral T>
  JsonWriter& value(T value) {
    return this->value(static_cast<std::uint64_t>(value));
  }
  JsonWriter& value(double value);  // what JSON can't write (infinite, not a number) becomes null
  JsonWriter& value(std::string_view value);
  JsonWriter& value(const char* value) { return this->value(std::string_view(value)); }
  JsonWriter& value(const std::string& value) { return this->value(std::string_view(value)); }
  JsonWriter& value(const Json& value);
  template <class T>
  JsonWriter& value(const std::optional<T>& value) {
    return value ? this->value(*value) : null();
  }

  template <class T>
  JsonWriter& member(std::string_view name, const T& value) {
    return key(name).value(value);
  }

  std::string take() { return std::move(text_); }

 private:
  void separate();
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace http
