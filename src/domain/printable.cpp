#include "domain/printable.h"

#include <algorithm>
#include <array>

#include "domain/utf8.h"

namespace domain {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Control characters, and what Unicode calls default ignorable or a format character, with the code points that are
// kept for such. U+2800 and the fillers of Hangul are letters that show nothing.
constexpr std::array invisible{
    Range{0x0000, 0x001F},   Range{0x007F, 0x009F},   Range{0x00AD, 0x00AD},   Range{0x034F, 0x034F},
    Range{0x061C, 0x061C},   Range{0x115F, 0x1160},   Range{0x17B4, 0x17B5},   Range{0x180B, 0x180F},
    Range{0x200B, 0x200F},   Range{0x2028, 0x202E},   Range{0x2060, 0x206F},   Range{0x2800, 0x2800},
    Range{0x3164, 0x3164},   Range{0xFE00, 0xFE0F},   Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0},
    Range{0xFFF0, 0xFFFB},   Range{0xFFFE, 0xFFFF},   Range{0x13430, 0x1343F}, Range{0x1BCA0, 0x1BCA3},
    Range{0x1D173, 0x1D17A}, Range{0xE0000, 0xE0FFF},
};

constexpr std::array look_like_a_blank{
    Range{0x00A0, 0x00A0}, Range{0x1680, 0x1680}, Range{0x2000, 0x200A},
    Range{0x202F, 0x202F}, Range{0x205F, 0x205F}, Range{0x3000, 0x3000},
};

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

bool is_plain(char32_t c, Blanks blanks) {
  if (c < 0x80) return c >= 0x20 && c != 0x7F;
  return !is_in(invisible, c) && (blanks == Blanks::kept || !is_in(look_like_a_blank, c));
}

void append_hex(std::string& out, char32_t number, int digits) {
  constexpr std::string_view hex = "0123456789abcdef";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += hex[(number >> shift) & 0xF];
}

bool append_short_escape(std::string& out, char32_t c) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += "\\t";
  } else {
    return false;
  }
  return true;
}

void append_escape(std::string& out, char32_t c) {
  if (append_short_escape(out, c)) return;
  out += c < 0x80 ? "\\x" : c <= 0xFFFF ? "\\u" : "\\U";
  append_hex(out, c, c < 0x80 ? 2 : c <= 0xFFFF ? 4 : 8);
}

void append_json_escape(std::string& out, char32_t c) {
  if (append_short_escape(out, c)) return;
  if (c > 0xFFFF) {  // two surrogates
    append_hex(out += "\\u", 0xD800 + ((c - 0x10000) >> 10), 4);
    c = 0xDC00 + ((c - 0x10000) & 0x3FF);
  }
  append_hex(out += "\\u", c, 4);
}

// Calls `escape(character, its bytes)` for each that is not to stand as it is; a byte that is not UTF-8 is given as
// no_character. Everything else is appended to `out`.
template <typename IsPlain, typename Escape>
void append_with(std::string& out, std::string_view text, IsPlain is_plain_one, Escape escape) {
  while (!text.empty()) {
    std::string_view rest = text;
    const char32_t c = take_character(rest);
    if (c == no_character) rest.remove_prefix(1);
    const std::string_view bytes = text.substr(0, text.size() - rest.size());
    if (c != no_character && is_plain_one(c)) {
      out += bytes;
    } else {
      escape(c, bytes);
    }
    text = rest;
  }
}

char32_t byte_in(std::string_view bytes) { return static_cast<unsigned char>(bytes.front()); }

}  // namespace

std::string printable(std::string_view text, Blanks blanks) {
  std::string out;
  out.reserve(text.size());
  append_with(
      out, text, [blanks](char32_t c) { return is_plain(c, blanks); },
      [&out](char32_t c, std::string_view bytes) {
        c == no_character ? append_hex(out += "\\x", byte_in(bytes), 2) : append_escape(out, c);
      });
  return out;
}

void append_quoted(std::string& out, std::string_view text) {
  append_with(
      out, text, [](char32_t c) { return c != '"' && c != '\\' && is_plain(c, Blanks::escaped); },
      [&out](char32_t c, std::string_view bytes) {
        if (c == '"' || c == '\\') {
          out.append("\\") += bytes;
        } else {
          append_json_escape(out, c == no_character ? byte_in(bytes) : c);
        }
      });
}

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const char32_t c = take_character(text);
    if (c == no_character || !is_plain(c, Blanks::escaped)) return false;
  }
  return true;
}

}  // namespace domain
