#include "domain/utf8.h"

#include <cstddef>
#include <cstdint>

namespace domain {

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

}  // namespace domain
