#include "domain/id.h"

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

bool is_valid_id(std::string_view text) {
  if (text.empty() || text.size() > 255 || text == "." || text == "..") return false;
  while (!text.empty()) {
    const char32_t c = take_character(text);
    if (c == no_character || is_control(c)) return false;
  }
  return true;
}

}  // namespace domain
