// A second opinion on JSON: the tree of a library that is not ours. It refuses two things that JSON allows, so these
// are replaced before it looks, by the form of the text alone: lone surrogates, and numbers beyond a double.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "fuzz/expect.h"
#include "json/value.h"

namespace fuzz {

using Tree = nlohmann::json;

constexpr std::string_view lone_surrogate = "\x01(lone)";

// The unit of UTF-16 that is written at the front as \uXXXX.
inline std::optional<unsigned> unit_at(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  unsigned unit = 0;
  for (const char c : text.substr(2, 4)) {
    const bool is_digit = c >= '0' && c <= '9';
    const bool is_letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!is_digit && !is_letter) return std::nullopt;
    unit = unit * 16 + static_cast<unsigned>(is_digit ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return unit;
}

// Takes an escape off the front of the text.
inline std::string tamed_escape(std::string_view& text) {
  const auto first = unit_at(text);
  std::size_t length = first ? 6 : 2;
  if (first && *first >= 0xD800 && *first < 0xE000) {
    const auto second = unit_at(text.substr(6));
    const bool is_pair = *first < 0xDC00 && second && *second >= 0xDC00 && *second < 0xE000;
    if (!is_pair) return text.remove_prefix(6), "\\u0001(lone)";
    length = 12;
  }
  const std::string escape(text.substr(0, length));
  return text.remove_prefix(escape.size()), escape;
}

// Takes what may be a number off the front: exponents become 1, and long runs of digits are cut.
inline std::string tamed_number(std::string_view& text) {
  std::string number;
  std::size_t run = 0;
  bool in_exponent = false;
  for (; !text.empty() && std::string_view("+-.eE0123456789").find(text.front()) != std::string_view::npos;
       text.remove_prefix(1)) {
    const char c = text.front();
    const bool is_digit = c >= '0' && c <= '9';
    in_exponent = c == 'e' || c == 'E' || (in_exponent && c != '.');
    run = is_digit ? run + 1 : 0;
    if (!is_digit) number += c;
    if (is_digit && in_exponent && run == 1) number += '1';
    if (is_digit && !in_exponent && run <= 25) number += c;
  }
  return number;
}

// Discarded where the text is no JSON.
inline Tree tree_of(std::string_view text) {
  if (text.find('\0') != text.npos) return Tree(Tree::value_t::discarded);  // for the library the end
  std::string tamed;
  bool in_string = false;
  while (!text.empty()) {
    const char c = text.front();
    if (in_string && c == '\\') {
      tamed += tamed_escape(text);
    } else if (!in_string && (c == '-' || (c >= '0' && c <= '9'))) {
      tamed += tamed_number(text);
    } else {
      in_string = in_string != (c == '"');
      tamed += c;
      text.remove_prefix(1);
    }
  }
  return Tree::parse(tamed, nullptr, false);
}

inline bool is_text(const Tree& value) {
  return value.is_string() && value.get_ref<const std::string&>().find(lone_surrogate) == std::string::npos;
}

// A string, or an integer from 0 to 2^64-1 taken as its decimal text.
inline std::optional<std::string> id_in(const Tree& object, const char* key) {
  if (!object.contains(key)) return std::nullopt;
  const Tree& value = object[key];
  if (is_text(value)) return value.get<std::string>();
  if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
  return std::nullopt;
}

// Our own tree is to be the same, down to the depth that it keeps.
inline void expect_same(const json::Value& ours, const Tree& tree, std::size_t depth = 0) {
  if (depth == json::Value::max_depth && tree.is_structured()) return expect(ours.is_null(), "null below the depth");
  expect(ours.is_null() == tree.is_null(), "null");
  expect((ours.boolean() != nullptr) == tree.is_boolean(), "true or false");
  expect(ours.is_unsigned() == tree.is_number_unsigned(), "an integer");
  expect(!ours.is_unsigned() || *ours.unsigned_number() == tree.get<std::uint64_t>(), "the same integer");
  expect(ours.is_string() == is_text(tree), "a text");
  expect(!ours.is_string() || *ours.string() == tree.get_ref<const std::string&>(), "the same text");
  expect((ours.verbatim() != nullptr) == (tree.is_number_float() || (tree.is_string() && !is_text(tree))), "verbatim");
  expect((ours.array() != nullptr) == tree.is_array() && ours.is_object() == tree.is_object(), "a container");
  if (const auto* array = ours.array()) {
    expect(array->size() == tree.size(), "as many elements");
    for (std::size_t i = 0; i < array->size(); ++i) expect_same((*array)[i], tree[i], depth + 1);
  }
  if (!ours.is_object()) return;
  for (const auto& [key, value] : tree.items()) {
    // In a key a lone surrogate is read as U+FFFD, so a key of that name may be another one.
    if (key.find(lone_surrogate) != std::string::npos || key.find("\xEF\xBF\xBD") != std::string::npos) continue;
    const json::Value* member = ours.find(key);
    expect(member != nullptr, "a member");
    expect_same(*member, value, depth + 1);
  }
}

}  // namespace fuzz
