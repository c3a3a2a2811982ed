// CSV as `rooms import` reads it: records that are written down properly are read the same.
#include <algorithm>
#include <string>

#include "cli/csv.h"
#include "fuzz/expect.h"

namespace {

using fuzz::expect;

std::string written(const cli::Csv& csv) {
  std::string text;
  for (const cli::CsvRecord& record : csv.records) {
    for (std::size_t i = 0; i < record.fields.size(); ++i) {
      text += i == 0 ? "\"" : ",\"";
      for (const char c : record.fields[i]) text += c == '"' ? std::string("\"\"") : std::string(1, c);
      text += '"';
    }
    text += "\r\n";
  }
  return text;
}

std::size_t line_ends(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    count += text[i] == '\n' || (text[i] == '\r' && text.substr(i + 1, 1) != "\n");
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  const auto lines = line_ends(text) + 1;
  const cli::Csv read = cli::read_csv(text);
  std::size_t last = 0;
  for (const cli::CsvRecord& record : read.records) {
    expect(record.line > last && record.line <= lines, "a line of its own for each record");
    last = record.line;
    expect(!record.fields.empty(), "a record with fields");
  }
  for (const cli::LineProblem& problem : read.problems) {
    expect(problem.line >= 1 && problem.line <= lines, "a problem with a line that there is");
  }

  const cli::Csv again = cli::read_csv(written(read));
  expect(again.problems.empty(), "no problem with what is written properly");
  expect(std::equal(read.records.begin(), read.records.end(), again.records.begin(), again.records.end(),
                    [](const auto& a, const auto& b) { return a.fields == b.fields; }),
         "the same records from what was written");
  return 0;
}
