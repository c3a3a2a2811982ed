#include "json/reader.h"

#include <charconv>

#include "domain/id.h"

namespace json {
namespace {

bool is_high_surrogate(std::uint32_t c) { return c >= 0xD800 && c <= 0xDBFF; }
bool is_low_surrogate(std::uint32_t c) { return c >= 0xDC00 && c <= 0xDFFF; }

void append_utf8(std::string& out, std::uint32_t c) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6)), tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12)), tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | (c >> 18)), tail(12), tail(6), tail(0);
  }
}

// A function that returns false leaves `at_` where the text is wrong.
class Reader {
 public:
  Reader(std::string_view text, Events& events)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), events_(events) {}

  bool read() {
    take_word("\xEF\xBB\xBF");  // a byte order mark
    for (;;) {
      skip_blanks();
      if (is_at('{') || is_at('[')) {
        begin_container();
        if (!is_at(open_.back())) {
          if (!read_key()) return false;
          continue;
        }
      } else if (!read_scalar()) {
        return false;
      }
      end_containers();
      if (open_.empty()) return at_ == end_;
      if (!take(',') || !read_key()) return false;
    }
  }

  // From 1.
  std::size_t place() const { return static_cast<std::size_t>(at_ - begin_) + 1; }

 private:
  bool is_at(char c) const { return at_ != end_ && *at_ == c; }
  bool take(char c) { return is_at(c) && ++at_ != nullptr; }

  bool take_word(std::string_view word) {
    const bool is_there = since(at_, end_).substr(0, word.size()) == word;
    if (is_there) at_ += word.size();
    return is_there;
  }

  static std::string_view since(const char* from, const char* to) {
    return {from, static_cast<std::size_t>(to - from)};
  }

  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }

  void begin_container() {
    const bool is_object = *at_++ == '{';
    is_object ? events_.begin_object() : events_.begin_array();
    open_ += is_object ? '}' : ']';
    skip_blanks();
  }

  void end_containers() {
    for (skip_blanks(); !open_.empty() && is_at(open_.back()); skip_blanks()) {
      *at_++ == '}' ? events_.end_object() : events_.end_array();
      open_.pop_back();
    }
  }

  // The next member's key and colon; in an array there is none.
  bool read_key() {
    if (open_.back() == ']') return true;
    skip_blanks();
    if (!read_string()) return false;
    events_.key(string_);
    skip_blanks();
    return take(':');
  }

  bool read_scalar() {
    if (is_at('"')) {
      const char* const from = at_;
      if (!read_string()) return false;
      has_lone_surrogate_ ? events_.verbatim(since(from, at_)) : events_.string(string_);
    } else if (take_word("null")) {
      events_.null();
    } else if (take_word("true")) {
      events_.boolean(true);
    } else if (take_word("false")) {
      events_.boolean(false);
    } else {
      return read_number();
    }
    return true;
  }

  bool read_digits() {
    const char* const from = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != from;
  }

  bool read_number() {
    const char* const from = at_;
    const bool has_sign = take('-');
    if (!take('0') && !read_digits()) return false;
    bool is_integer = true;
    if (take('.')) {
      is_integer = false;
      if (!read_digits()) return false;
    }
    if (take('e') || take('E')) {
      is_integer = false;
      if (!take('+')) take('-');
      if (!read_digits()) return false;
    }
    std::uint64_t number = 0;
    std::int64_t signed_number = 0;
    if (is_integer && !has_sign && std::from_chars(from, at_, number).ec == std::errc{}) {
      events_.unsigned_number(number);
    } else if (is_integer && has_sign && std::from_chars(from, at_, signed_number).ec == std::errc{}) {
      events_.signed_number(signed_number);
    } else {
      events_.verbatim(since(from, at_));
    }
    return true;
  }

  // What the string stands for becomes `string_`: a part of the text, or of `unescaped_`.
  bool read_string() {
    if (!take('"')) return false;
    const char* const from = at_;
    const char* run = at_;  // what follows the last escape
    bool is_ascii = true;
    unescaped_.clear();
    has_lone_surrogate_ = false;
    while (!is_at('"')) {
      if (at_ == end_ || static_cast<unsigned char>(*at_) < 0x20) return false;
      if (*at_ == '\\') {
        unescaped_.append(run, at_++);
        if (!read_escape()) return false;
        run = at_;
      } else {
        is_ascii = is_ascii && static_cast<unsigned char>(*at_) < 0x80;
        ++at_;
      }
    }
    string_ = run == from ? since(from, at_) : std::string_view(unescaped_.append(run, at_));
    if (!is_ascii && !domain::is_utf8(since(from, at_))) {
      at_ = from;
      return false;
    }
    return take('"');
  }

  // Behind the backslash.
  bool read_escape() {
    constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    if (take('u')) return read_code_point();
    const auto which = at_ == end_ ? letters.npos : letters.find(*at_);
    if (which == letters.npos) return false;
    unescaped_ += meanings[which];
    ++at_;
    return true;
  }

  // Behind \u: one unit of UTF-16, or two if they are a pair of surrogates.
  bool read_code_point() {
    std::uint32_t code_point = 0;
    if (!read_unit(code_point)) return false;
    const char* const behind_first = at_;
    if (is_high_surrogate(code_point) && take_word("\\u")) {
      std::uint32_t second = 0;
      if (!read_unit(second)) return false;
      if (is_low_surrogate(second)) {
        code_point = 0x10000 + ((code_point - 0xD800) << 10) + (second - 0xDC00);
      } else {
        at_ = behind_first;
      }
    }
    if (is_high_surrogate(code_point) || is_low_surrogate(code_point)) {
      has_lone_surrogate_ = true;
      code_point = 0xFFFD;
    }
    append_utf8(unescaped_, code_point);
    return true;
  }

  bool read_unit(std::uint32_t& unit) {
    constexpr std::ptrdiff_t digits = 4;
    if (end_ - at_ < digits) return false;
    if (std::from_chars(at_, at_ + digits, unit, 16).ptr != at_ + digits) return false;
    at_ += digits;
    return true;
  }

  const char* const begin_;
  const char* at_;
  const char* const end_;
  Events& events_;
  std::string open_;  // the brackets that end what is open, the innermost last
  std::string_view string_;
  std::string unescaped_;
  bool has_lone_surrogate_ = false;
};

}  // namespace

std::optional<std::string> read(std::string_view text, Events& events) {
  Reader reader(text, events);
  if (reader.read()) return std::nullopt;
  return "The body is not valid JSON at byte " + std::to_string(reader.place()) + ".";
}

}  // namespace json
