// What every input must keep to: expect() ends the program, which libFuzzer reports with the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "domain/id.h"

namespace fuzz {

// `what` as it should have been.
inline void expect(bool so, const char* what) {
  if (so) return;
  std::fprintf(stderr, "expected: %s\n", what);
  std::abort();
}

// May it stand in a message or in the log: one line of UTF-8 without control characters?
inline bool is_one_line(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return domain::is_utf8(text);
}

// A second opinion on domain::is_valid_id, by the contract's words.
inline bool is_id(std::string_view text) {
  if (text.empty() || text.size() > 255 || text == "." || text == "..") return false;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {  // U+0080 to U+009F
    if (text[i] == '\xC2' && static_cast<unsigned char>(text[i + 1]) < 0xA0) return false;
  }
  return is_one_line(text);
}

// A second opinion on domain::is_gateway_name: A to Z, a to z, 0 to 9, and after the first also . _ -
inline bool is_gateway_name(std::string_view text) {
  for (const char c : text) {
    const bool is_inner =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '-' && c <= '9' && c != '/') || c == '_';
    if (!is_inner) return false;
  }
  return !text.empty() && text.size() <= 64 && text[0] != '.' && text[0] != '_' && text[0] != '-';
}

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace fuzz
