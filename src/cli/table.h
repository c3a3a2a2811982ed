// Tables for people: aligned columns, one line a row, nothing wrapped.
// Values; one thread at a time. Does not fail: what cannot be shown as it is, is escaped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// The text as it may be put on a terminal (domain/printable.h), with blanks of other kinds escaped.
std::string printable(std::string_view text);

// How many columns of a terminal the text takes; expects what printable() gave.
std::size_t display_width(std::string_view text);

enum class Align { left, right };

struct Column {
  std::string header;
  Align align = Align::left;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // Expects one cell a column. Cells are made printable here.
  void add_row(const std::vector<std::string>& cells);

  // The header and the rows, each ended by a newline, without blanks at the ends of lines.
  std::string text() const;

 private:
  std::vector<Align> aligns_;
  std::vector<std::vector<std::string>> rows_;  // the header is the first
};

}  // namespace cli
