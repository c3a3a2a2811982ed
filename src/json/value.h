// A JSON value as a small tree, to read requests and answers from. Immutable once parsed: any thread may read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace json {

class Value {
 public:
  using Array = std::vector<Value>;
  using Object = std::vector<std::pair<std::string, Value>>;  // in the order written

  Value() = default;  // null
  explicit Value(bool value) : value_(value) {}
  explicit Value(std::uint64_t value) : value_(value) {}
  explicit Value(std::int64_t value) : value_(value) {}
  explicit Value(std::string value) : value_(std::move(value)) {}
  explicit Value(Array value) : value_(std::move(value)) {}
  explicit Value(Object value) : value_(std::move(value)) {}

  // Exactly one value; of a key given twice the last counts. Values nested deeper than `max_depth`
  // are read as null: nobody asks for them, and no text may exhaust the stack. On failure nothing
  // is returned and `*problem`, if given, says why.
  static constexpr std::size_t max_depth = 200;
  static std::optional<Value> parse(std::string_view text, std::string* problem = nullptr);

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
  const Value* find(std::string_view key) const;

  // Compact; invalid UTF-8 in strings is replaced.
  std::string dump() const;

 private:
  friend class Builder;
  struct Verbatim {
    std::string token;
  };
  std::variant<std::monostate, bool, std::uint64_t, std::int64_t, std::string, Verbatim, Array, Object> value_;
};

}  // namespace json
