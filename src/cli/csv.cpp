#include "cli/csv.h"

#include <utility>

namespace cli {
namespace {

bool is_blank(char character) { return character == ' ' || character == '\t'; }
bool ends_line(char character) { return character == '\n' || character == '\r'; }

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  Csv read() {
    while (!rest_.empty()) read_record();
    return std::move(csv_);
  }

 private:
  void read_record() {
    CsvRecord record{line_, {}};
    bool quoted = false;
    do {
      quoted |= read_field(record.fields);
    } while (take(','));
    take_line_end();
    const bool empty = record.fields.size() == 1 && record.fields[0].empty() && !quoted;
    if (!empty) csv_.records.push_back(std::move(record));
  }

  // Tells whether the field was quoted.
  bool read_field(std::vector<std::string>& fields) {
    skip_blanks();
    if (take('"')) {
      fields.push_back(quoted_field());
      return true;
    }
    fields.push_back(bare_field());
    return false;
  }

  std::string bare_field() {
    std::string field;
    bool has_quote = false;
    while (!rest_.empty() && rest_.front() != ',' && !ends_line(rest_.front())) {
      has_quote |= rest_.front() == '"';
      field += next();
    }
    while (!field.empty() && is_blank(field.back())) field.pop_back();
    if (has_quote) complain(line_, "a quote inside a field; put quotes around the field and double it");
    return field;
  }

  std::string quoted_field() {
    const auto opened = line_;
    std::string field;
    for (;;) {
      if (rest_.empty()) {
        complain(opened, "a quoted field is not closed; add its second quote");
        return field;
      }
      if (take('"')) {
        if (!take('"')) break;
        field += '"';
      } else if (ends_line(rest_.front())) {
        field += rest_.substr(0, line_end_length());
        take_line_end();
      } else {
        field += next();
      }
    }
    skip_blanks();
    if (!rest_.empty() && rest_.front() != ',' && !ends_line(rest_.front())) {
      complain(line_, "text after the closing quote of a field; double a quote that belongs to it");
      while (!rest_.empty() && rest_.front() != ',' && !ends_line(rest_.front())) next();
    }
    return field;
  }

  std::size_t line_end_length() const { return rest_.substr(0, 2) == "\r\n" ? 2 : 1; }

  void take_line_end() {
    if (rest_.empty()) return;
    rest_.remove_prefix(line_end_length());
    ++line_;
  }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  char next() {
    const char character = rest_.front();
    rest_.remove_prefix(1);
    return character;
  }

  void complain(std::size_t line, std::string text) { csv_.problems.push_back({line, std::move(text)}); }

  std::string_view rest_;
  std::size_t line_ = 1;
  Csv csv_;
};

}  // namespace

Csv read_csv(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    text.remove_prefix(kByteOrderMark.size());
  }
  return Reader{text}.read();
}

}  // namespace cli
