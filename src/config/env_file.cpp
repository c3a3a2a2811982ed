#include "config/env_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/lists.h"
#include "config/value.h"

namespace config {
namespace {

constexpr std::string_view name_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

bool is_blank_character(char c) { return c == ' ' || c == '\t'; }

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }

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

class Parser {
 public:
  Parser(std::string_view text, const IsOurs& is_ours) : rest_(text), is_ours_(is_ours) {}

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
    if (text.empty() || text.front() == '#') return;

    const std::size_t equals = text.find('=');
    const std::string_view name = left_of(text, equals);
    if (equals == std::string_view::npos || !is_name(name)) return other_line(name);
    const std::string_view value = text.substr(equals + 1);
    is_ours_(name) ? our_value(std::string(name), value) : foreign_value(std::string(name), value);
  }

  // "export FOO" and "set -a" mean something to a shell that reads the file, too.
  void other_line(std::string_view text) {
    if (!text.empty() && is_letter(text.front()) && !mentions_ours(text)) return;
    // The line is not shown: it may be another program's secret.
    fault("is neither NAME=value nor a comment");
  }

  bool mentions_ours(std::string_view text) const {
    const auto in_word = [](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
    while (!text.empty()) {
      const auto end = std::find_if_not(text.begin(), text.end(), in_word);
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
      const std::string_view plain = trimmed(without_comment(text));
      return add(std::move(name), std::string(plain));
    }
    std::optional<Quoted> quoted = take_quoted(bare);
    if (!quoted) return fault(name + ": the quote is not closed in this line");
    const std::string_view rest = trimmed(quoted->rest);
    if (!rest.empty() && rest.front() != '#') {
      return fault(name + ": there is text after the closing quote");
    }
    add(std::move(name), std::move(quoted->value));
  }

  // Of interest only as far as it may go on in the next lines, as keys and certificates do.
  void foreign_value(const std::string& name, std::string_view text) {
    const std::string_view bare = trimmed(text);
    if (!begins_with_quote(bare) || take_quoted(bare)) return;
    const char* const end = rest_.data() + rest_.size();
    const auto quoted = take_quoted(std::string_view(bare.data(), static_cast<std::size_t>(end - bare.data())));
    if (!quoted) return;  // a slip in one line, which its own program will tell
    const std::size_t begin = number_;
    while (rest_.data() < quoted->rest.data()) inner_line(trimmed(take_line()), name, begin);
  }

  // Two quotes that are not closed look like one value from the first to the second.
  void inner_line(std::string_view text, const std::string& outer, std::size_t begin) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return;
    const std::string_view name = left_of(text, equals);
    if (!is_ours_(name)) return;
    out_.doubts.push_back({number_, std::string(name) + ": is not read, since it is within the quotes of " + outer +
                                        ", which open in line " + std::to_string(begin) +
                                        ": close them there if this is a setting"});
  }

  static bool begins_with_quote(std::string_view text) {
    return !text.empty() && (text.front() == '"' || text.front() == '\'');
  }

  void add(std::string name, std::string value) {
    out_.entries.push_back({std::move(name), std::move(value), number_});
  }
  void fault(std::string text) { out_.faults.push_back({number_, std::move(text)}); }

  EnvText out_;
  std::string_view rest_;  // the lines that are still to be read
  const IsOurs& is_ours_;
  std::size_t number_ = 0;
};

}  // namespace

EnvText parse_env(std::string_view text, const IsOurs& is_ours) { return Parser(text, is_ours).parse(); }

}  // namespace config
