#include "json/writer.h"

#include <charconv>
#include <cmath>

#include "domain/utf8.h"

namespace json {
namespace {

bool stands_for_itself(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u00";
  out += digits[static_cast<unsigned char>(c) >> 4];
  out += digits[static_cast<unsigned char>(c) & 15];
}

template <class T>
void append_number(std::string& out, T value) {
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, error == std::errc{} ? end : digits);
}

}  // namespace

std::string& append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && stands_for_itself(text[plain])) ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto before = text;
    if (domain::take_character(text) == domain::no_character) {
      out += "\xef\xbf\xbd";  // U+FFFD
      text.remove_prefix(1);
      continue;
    }
    const auto character = before.substr(0, before.size() - text.size());
    if (character.size() == 1) {
      append_escaped(out, character.front());
    } else {
      out += character;
    }
  }
  out += '"';
  return out;
}

void Writer::separate() {
  if (needs_comma_) text_ += ',';
  needs_comma_ = true;
}

Writer& Writer::open(char bracket) {
  separate();
  text_ += bracket;
  needs_comma_ = false;
  return *this;
}

Writer& Writer::close(char bracket) {
  text_ += bracket;
  needs_comma_ = true;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_string(text_, name) += ':';
  needs_comma_ = false;
  return *this;
}

Writer& Writer::null() {
  separate();
  text_ += "null";
  return *this;
}

Writer& Writer::value(bool value) {
  separate();
  text_ += value ? "true" : "false";
  return *this;
}

Writer& Writer::value(std::int64_t value) {
  separate();
  append_number(text_, value);
  return *this;
}

Writer& Writer::value(std::uint64_t value) {
  separate();
  append_number(text_, value);
  return *this;
}

Writer& Writer::value(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  append_number(text_, value);
  return *this;
}

Writer& Writer::value(std::string_view value) {
  separate();
  append_string(text_, value);
  return *this;
}

Writer& Writer::value(const Value& value) {
  if (const auto* flag = value.boolean()) return this->value(*flag);
  if (const auto* number = value.unsigned_number()) return this->value(*number);
  if (const auto* number = value.signed_number()) return this->value(*number);
  if (const auto* text = value.string()) return this->value(*text);
  if (const auto* token = value.verbatim()) {
    separate();
    text_ += *token;
    return *this;
  }
  if (const auto* array = value.array()) {
    begin_array();
    for (const auto& element : *array) this->value(element);
    return end_array();
  }
  if (const auto* object = value.object()) {
    begin_object();
    for (const auto& [name, member] : *object) key(name).value(member);
    return end_object();
  }
  return null();
}

}  // namespace json
