#include "domain/printable.h"

#include <string>

#include "catch.h"

using domain::Blanks;
using domain::is_printable;
using domain::printable;

namespace {

std::string json_of(std::string_view text) {
  std::string out;
  domain::append_quoted(out, text);
  return out;
}

std::string utf8(char32_t c) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | (c >> 6)), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | (c >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | (c >> 18)), tail(12), tail(6), tail(0)};
}

}  // namespace

TEST_CASE("visible characters are printed as they are") {
  for (const std::string_view text : {"", "plain é 課 😀 حجرة", "e\xCC\x81", "a=b", "/._-", "🇮🇱"}) {
    CHECK(printable(text) == text);
    CHECK(json_of(text) == text);
    CHECK(is_printable(text));
  }
  CHECK(printable("say \"hi\" \\") == "say \"hi\" \\");
  CHECK(json_of("say \"hi\" \\") == "say \\\"hi\\\" \\\\");
}

TEST_CASE("characters that could forge, hide or reorder a text are escaped, in JSON's own form for a log") {
  const struct {
    std::string text, shown, in_json;
  } cases[] = {
      {"a\nb\r\t", "a\\nb\\r\\t", "a\\nb\\r\\t"},
      {"\x1b[31m", "\\x1b[31m", "\\u001b[31m"},
      {std::string(1, '\0'), "\\x00", "\\u0000"},
      {"\x7f", "\\x7f", "\\u007f"},
      {utf8(0x85), "\\u0085", "\\u0085"},
      {utf8(0x202E) + "abc", "\\u202eabc", "\\u202eabc"},
      {utf8(0xE0041), "\\U000e0041", "\\udb40\\udc41"},
      {"\xFF"
       "a",
       "\\xffa", "\\u00ffa"},
      {"\xC3", "\\xc3", "\\u00c3"},
      {"\xED\xA0\x80", "\\xed\\xa0\\x80", "\\u00ed\\u00a0\\u0080"},
      {"\xC0\xAF", "\\xc0\\xaf", "\\u00c0\\u00af"},
  };
  for (const auto& c : cases) {
    CHECK(printable(c.text) == c.shown);
    CHECK(json_of(c.text) == c.in_json);
    CHECK_FALSE(is_printable(c.text));
  }
}

TEST_CASE("every invisible character is escaped") {
  for (const char32_t c :
       {U'\u0080',     U'\u009f',     U'\u00ad',     U'\u034f',     U'\u061c',    U'\u115f', U'\u17b4', U'\u180e',
        U'\u200b',     U'\u200c',     U'\u200d',     U'\u200e',     U'\u200f',    U'\u2028', U'\u2029', U'\u202a',
        U'\u202b',     U'\u202c',     U'\u202d',     U'\u2060',     U'\u2063',    U'\u2066', U'\u2069', U'\u206f',
        U'\u2800',     U'\u3164',     U'\ufe00',     U'\ufe0f',     U'\ufeff',    U'\uffa0', U'\ufff9', U'\ufffb',
        U'\U0001d173', U'\U000e0001', U'\U000e0020', U'\U000e007f', U'\U000e0100'}) {
    CAPTURE(static_cast<unsigned>(c));
    CHECK(printable(utf8(c)).front() == '\\');
    CHECK(json_of(utf8(c)).front() == '\\');
  }
}

TEST_CASE("characters that look like a blank are escaped, or kept where they are part of a name") {
  for (const char32_t c : {U'\u00a0', U'\u1680', U'\u2000', U'\u2007', U'\u200a', U'\u202f', U'\u205f', U'\u3000'}) {
    CAPTURE(static_cast<unsigned>(c));
    CHECK(printable(utf8(c)).front() == '\\');
    CHECK(json_of(utf8(c)).front() == '\\');
    CHECK(printable(utf8(c), Blanks::kept) == utf8(c));
  }
  CHECK(printable("gxy1\u00a0") == "gxy1\\u00a0");
}
