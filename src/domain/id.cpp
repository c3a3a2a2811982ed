#include "domain/id.h"

#include <cstdint>

namespace domain {
namespace {

constexpr char32_t no_character = 0xFFFFFFFF;

// Takes one character off the front of the text; no_character if the bytes are not UTF-8 (RFC 3629:
// no overlong forms, no surrogates, nothing above U+10FFFF).
char32_t take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  std::size_t length = 0;
  char32_t value = 0;
  char32_t least = 0;
  if (first < 0x80) {
    text.remove_prefix(1);
    return first;
  }
  if ((first & 0xE0) == 0xC0) {
    length = 2, value = first & 0x1Fu, least = 0x80;
  } else if ((first & 0xF0) == 0xE0) {
    length = 3, value = first & 0x0Fu, least = 0x800;
  } else if ((first & 0xF8) == 0xF0) {
    length = 4, value = first & 0x07u, least = 0x10000;
  } else {
    return no_character;
  }
  if (text.size() < length) return no_character;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return no_character;
    value = (value << 6) | (byte(i) & 0x3Fu);
  }
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return no_character;
  text.remove_prefix(length);
  return value;
}

bool is_control(char32_t c) { return c <= 0x1F || (c >= 0x7F && c <= 0x9F); }

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (take_character(text) == no_character) return false;
  }
  return true;
}

bool is_valid_id(std::string_view text) {
  if (text.empty() || text.size() > 255 || text == "." || text == "..") return false;
  while (!text.empty()) {
    const char32_t c = take_character(text);
    if (c == no_character || is_control(c)) return false;
  }
  return true;
}

}  // namespace domain
