#include "config/env_file.h"

#include <optional>
#include <utility>

#include "config/lists.h"
#include "config/value.h"

namespace config {
namespace {

constexpr std::string_view name_characters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

bool is_blank_character(char c) { return c == ' ' || c == '\t'; }

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
    if (quote == '"' && c == '\\' && i + 1 < text.size() &&
        escapes.find(text[i + 1]) != std::string_view::npos) {
      result.value += unescaped(text[++i]);
    } else {
      result.value += c;
    }
  }
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(EnvText& out) : out_(out) {}

  void line(std::string_view text, std::size_t number) {
    number_ = number;
    if (text.find('\0') != std::string_view::npos) return fault("holds a NUL byte: no text file");
    text = trimmed(text);
    if (text.empty() || text.front() == '#') return;

    const std::size_t equals = text.find('=');
    const std::string_view name = without_export(trimmed(text.substr(0, equals)));
    if (equals == std::string_view::npos || !is_name(name)) {
      // The line is not shown: it may be another program's secret.
      return fault("is neither NAME=value nor a comment");
    }
    value(std::string(name), text.substr(equals + 1));
  }

 private:
  void value(std::string name, std::string_view text) {
    const std::string_view bare = trimmed(text);
    if (bare.empty() || (bare.front() != '"' && bare.front() != '\'')) {
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

  void add(std::string name, std::string value) {
    out_.entries.push_back({std::move(name), std::move(value), number_});
  }
  void fault(std::string text) { out_.faults.push_back({number_, std::move(text)}); }

  EnvText& out_;
  std::size_t number_ = 0;
};

}  // namespace

EnvText parse_env(std::string_view text) {
  EnvText result;
  Parser parser(result);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    parser.line(text.substr(0, end), number);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return result;
}

}  // namespace config
