#include "domain/id.h"

#include <algorithm>

#include "domain/utf8.h"

namespace domain {
namespace {

bool is_control(char32_t c) { return c <= 0x1F || (c >= 0x7F && c <= 0x9F); }

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (take_character(text) == no_character) return false;
  }
  return true;
}

bool is_gateway_name(std::string_view text) {
  constexpr std::string_view letters_and_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t longest_name = 64;
  if (text.empty() || text.size() > longest_name) return false;
  if (letters_and_digits.find(text.front()) == std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return letters_and_digits.find(c) != std::string_view::npos || c == '.' || c == '_' || c == '-';
  });
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
