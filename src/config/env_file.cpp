#include "config/env_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/lists.h"
#include "config/value.h"

namespace config {
namespace {

constexpr std::string_view key_begins = "-----BEGIN ";
constexpr std::string_view key_ends = "-----END ";
constexpr std::string_view name_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

bool is_blank_character(char c) { return c == ' ' || c == '\t'; }

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }

bool is_letter_or_digit(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// What an assignment may look like to other programs that share the file is left to them: "." and
// "-" are no shell names, but common.
bool is_name(std::string_view text) {
  return !text.empty() && text.find_first_not_of(name_characters) == std::string_view::npos;
}

std::string_view without_export(std::string_view text) {
  constexpr std::string_view word = "export";
  if (text.substr(0, word.size()) != word || text.size() == word.size()) return text;
  return is_blank_character(text[word.size()]) ? trimmed(text.substr(word.size())) : text;
}

// What may be the name in a line that assigns to it.
std::string_view left_of(std::string_view text, std::size_t equals) {
  return without_export(trimmed(text.substr(0, equals)));
}

// A "#" is a comment where a word could begin.
std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '#' && is_blank_character(text[i - 1])) return text.substr(0, i);
  }
  return text;
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

struct Quoted {
  std::string value;
  std::string_view rest;  // what follows the closing quote
};

// Expects the text to begin with a quote; nothing if that is not closed.
std::optional<Quoted> take_quoted(std::string_view text) {
  const char quote = text.front();
  Quoted result;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == quote) {
      result.rest = text.substr(i + 1);
      return result;
    }
    constexpr std::string_view escapes = "\"\\$`nrt";
    if (quote == '"' && c == '\\' && i + 1 < text.size() && escapes.find(text[i + 1]) != std::string_view::npos) {
      result.value += unescaped(text[++i]);
    } else {
      result.value += c;
    }
  }
  return std::nullopt;
}

// How much of the text a value in quotes takes that begins it, also in three of them; 0 if they are not closed.
std::size_t length_of_quotes(std::string_view text, bool with_escapes) {
  const std::string three(3, text.front());
  const std::string_view mark = text.substr(0, text.substr(0, 3) == three ? 3 : 1);
  for (std::size_t i = mark.size(); i < text.size(); ++i) {
    if (with_escapes && text[i] == '\\') {
      ++i;
    } else if (text.substr(i, mark.size()) == mark) {
      return i + mark.size();
    }
  }
  return 0;
}

bool begins_with_bracket(std::string_view text) { return text.find_first_of("{[(") == 0 || text.substr(0, 2) == "$("; }

// How much of the text the JSON value, list or command in brackets takes that begins it; 0 if it does not end.
std::size_t length_of_brackets(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[' || c == '(') {
      ++depth;
    } else if ((c == '}' || c == ']' || c == ')') && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

std::size_t text_end(std::string_view lines) { return std::min(lines.find('\n'), lines.size()); }

bool goes_on(std::string_view line) { return !line.empty() && line.back() == '\\'; }

class Parser {
 public:
  Parser(std::string_view text, const IsOurs& is_ours) : text_(text), rest_(text), is_ours_(is_ours) {}

  EnvText parse() {
    while (!rest_.empty()) line(take_line());
    return std::move(out_);
  }

 private:
  std::string_view take_line() {
    ++number_;
    const std::size_t end = rest_.find('\n');
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return text;
  }

  void line(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return fault("holds a NUL byte: no text file");
    text = trimmed(text);
    if (text.empty()) return;
    if (text.front() == '#') return comment(trimmed(text.substr(1)));

    const std::size_t equals = text.find('=');
    const std::string_view name = left_of(text, equals);
    if (equals == std::string_view::npos || !is_name(name)) return other_line(name, text);
    const std::string_view value = text.substr(equals + 1);
    doubt_glued(value, "the value of " + std::string(name));
    if (is_ours_(name)) return our_value(std::string(name), value);
    out_.foreign.push_back({number_, std::string(name)});
    foreign_value(std::string(name), value);
  }

  // A setting that begins it was commented out.
  void comment(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return;
    doubt_glued(is_ours_(left_of(text, equals)) ? text.substr(equals + 1) : text, "a comment");
  }

  // `echo SCALE=false >> .env` continues the last line if that has no end.
  void doubt_glued(std::string_view text, const std::string& within) {
    for (std::size_t equals = text.find('='); equals != std::string_view::npos; equals = text.find('=', equals + 1)) {
      const std::string_view name = name_before(text, equals);
      if (name.empty()) continue;
      // Between blanks it may be prose.
      const std::size_t begin = equals - name.size();
      const bool is_in_word = begin > 0 && is_letter_or_digit(text[begin - 1]);
      if (!is_in_word && !is_last_word(text.substr(equals + 1))) continue;
      out_.doubts.push_back({number_, std::string(name) + ": is not read, since it is within " + within +
                                          ": put it on a line of its own if this is a setting"});
    }
  }

  // The longest name of ours that ends there; not a part of another program's name, or of a URL's query.
  std::string_view name_before(std::string_view text, std::size_t end) const {
    std::size_t begin = end;
    while (begin > 0 && name_characters.find(text[begin - 1]) != std::string_view::npos) --begin;
    for (; begin < end; ++begin) {
      if (!is_ours_(text.substr(begin, end - begin))) continue;
      const char before = begin > 0 ? text[begin - 1] : ' ';
      const bool is_part = before == '_' || before == '?' || before == '&';
      return is_part ? std::string_view{} : text.substr(begin, end - begin);
    }
    return {};
  }

  static bool is_last_word(std::string_view text) {
    const std::size_t end = text.find_first_of(" \t");
    if (end == std::string_view::npos) return true;
    const std::string_view after = trimmed(text.substr(end));
    return after.empty() || after.front() == '#';
  }

  // "export FOO" and "set -a" mean something to a shell that reads the file, too.
  void other_line(std::string_view text, std::string_view whole) {
    const bool is_word = !text.empty() && (is_letter(text.front()) || is_beyond_ascii(text.front()));
    if (is_word && !mentions_ours(text)) {
      doubt_glued(whole, "a line of another program");
      return skip_continuation(whole, "another program");
    }
    // The line is not shown: it may be another program's secret.
    fault("is neither NAME=value nor a comment");
  }

  bool mentions_ours(std::string_view text) const {
    while (!text.empty()) {
      const auto end = std::find_if_not(text.begin(), text.end(), is_letter_or_digit);
      const auto length = static_cast<std::size_t>(end - text.begin());
      if (is_ours_(text.substr(0, length))) return true;
      text.remove_prefix(std::min(text.size(), length + 1));
    }
    return false;
  }

  void our_value(std::string name, std::string_view text) {
    const std::string_view bare = trimmed(text);
    if (!begins_with_quote(bare)) {
      // A blank before the value was cut off by trimming, and with it the sign of a comment.
      std::string_view plain = trimmed(without_comment(text));
      if (goes_on(plain)) return fault("ends with a backslash, but a value cannot continue in the next line", name);
      if (plain.empty()) plain = text.substr(0, 0);
      return add(std::move(name), std::string(plain), plain);
    }
    std::optional<Quoted> quoted = take_quoted(bare);
    if (!quoted) return fault("the quote is not closed in this line", name);
    const std::string_view rest = trimmed(quoted->rest);
    if (!rest.empty() && rest.front() != '#') {
      return fault("there is text after the closing quote", name);
    }
    add(std::move(name), std::move(quoted->value), bare.substr(0, bare.size() - quoted->rest.size()));
  }

  // Read only to learn how far it goes on in the next lines, as keys and certificates do.
  void foreign_value(const std::string& name, std::string_view text) {
    const std::string_view bare = trimmed(text);
    if (bare.empty()) return;
    const std::size_t length = length_of_foreign(bare);
    if (length > bare.size()) {
      const std::string begin = std::to_string(number_);
      return skip_to(bare.data() + length, name,
                     is_quote(bare.front())
                         ? "the quotes of " + name + ", which open in line " + begin + ": close them there"
                         : "the value of " + name + ", which begins in line " + begin + ": end it there");
    }
    skip_continuation(bare, name);
  }

  // From its first byte on, also over lines; 0 if it ends with its line, or never: a slip in one line, which its own
  // program will report.
  std::size_t length_of_foreign(std::string_view bare) const {
    const std::string_view from_here(bare.data(), static_cast<std::size_t>(text_.data() + text_.size() - bare.data()));
    if (is_quote(bare.front())) {
      const std::size_t length = length_of_quotes(from_here, true);
      const bool is_likely = length > 0 && !goes_over_ours(bare, from_here, length);
      // A shell knows no escapes between single quotes.
      return bare.front() == '"' || is_likely ? length : length_of_quotes(from_here, false);
    }
    std::size_t length = 0;
    if (begins_with_bracket(bare)) length = length_of_brackets(from_here);
    if (bare.substr(0, key_begins.size()) == key_begins) {
      const std::size_t end = from_here.find(key_ends);
      if (end != std::string_view::npos) length = end + key_ends.size();
    }
    // What is open by a slip looks as if it went on to some later bracket; no JSON and no key sets a variable.
    return goes_over_ours(bare, from_here, length) ? 0 : length;
  }

  bool goes_over_ours(std::string_view bare, std::string_view from_here, std::size_t length) const {
    return length > bare.size() && assigns_ours(from_here.substr(bare.size(), length - bare.size()));
  }

  bool assigns_ours(std::string_view lines) const {
    while (!lines.empty()) {
      const std::string_view text = trimmed(lines.substr(0, text_end(lines)));
      const std::size_t equals = text.find('=');
      if (equals != std::string_view::npos && is_ours_(left_of(text, equals))) return true;
      lines.remove_prefix(std::min(lines.size(), text_end(lines) + 1));
    }
    return false;
  }

  void skip_to(const char* end, const std::string& name, const std::string& within) {
    std::string_view last;
    while (!rest_.empty() && rest_.data() < end) {
      last = take_line();
      inner_line(trimmed(last), within);
    }
    last.remove_prefix(std::min(last.size(), static_cast<std::size_t>(end - last.data())));
    doubt_glued(trimmed(last), "the value of " + name);
  }

  void skip_continuation(std::string_view line, const std::string& name) {
    const std::string within =
        "a line of " + name + ", which the backslash in line " + std::to_string(number_) + " continues: remove that";
    while (goes_on(line) && !rest_.empty()) {
      line = trimmed(take_line());
      if (!inner_line(line, within)) doubt_glued(line, "a line of " + name);
    }
  }

  // Two quotes that are not closed look like one value from the first to the second. Is it a setting?
  bool inner_line(std::string_view text, const std::string& within) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view name = left_of(text, equals);
    if (!is_ours_(name)) return false;
    out_.doubts.push_back(
        {number_, std::string(name) + ": is not read, since it is within " + within + " if this is a setting"});
    return true;
  }

  // Other programs' values may be in backticks, too.
  static bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

  static bool begins_with_quote(std::string_view text) {
    return !text.empty() && (text.front() == '"' || text.front() == '\'');
  }

  void add(std::string name, std::string value, std::string_view as_written) {
    out_.entries.push_back({std::move(name), std::move(value), number_,
                            static_cast<std::size_t>(as_written.data() - text_.data()), as_written.size()});
  }
  void fault(const std::string& text, const std::string& name = "") {
    out_.faults.push_back({number_, name.empty() ? text : name + ": " + text, name});
  }

  EnvText out_;
  const std::string_view text_;
  std::string_view rest_;  // the lines that are still to be read
  const IsOurs& is_ours_;
  std::size_t number_ = 0;
};

}  // namespace

EnvText parse_env(std::string_view text, const IsOurs& is_ours) { return Parser(text, is_ours).parse(); }

}  // namespace config
