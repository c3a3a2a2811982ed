// Reads CSV as RFC 4180 has it, with what spreadsheets make of it: a byte order mark, CRLF, LF or
// CR, quoted fields with commas, quotes and line breaks, blanks around fields.
// Pure; any thread. What is wrong comes back as problems with their lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

struct CsvRecord {
  std::size_t line = 0;  // on which it begins, from 1
  std::vector<std::string> fields;
};

struct LineProblem {
  std::size_t line = 0;
  std::string text;
};

struct Csv {
  std::vector<CsvRecord> records;  // lines without anything in them are left out
  std::vector<LineProblem> problems;
};

Csv read_csv(std::string_view text);

}  // namespace cli
