// The text of a `.env` file.
#include <algorithm>
#include <string>

#include "config/env_file.h"
#include "config/settings.h"
#include "fuzz/expect.h"

namespace {

using fuzz::expect;

// The value as a careless operator would write it.
std::string in_quotes(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else {
      if (c == '"' || c == '\\' || c == '$' || c == '`') text += '\\';
      text += c;
    }
  }
  return text + '"';
}

// As it stands, where that can be written.
std::string in_single_quotes(const std::string& value) {
  return value.find_first_of("'\n") == value.npos ? "'" + value + "'" : in_quotes(value);
}

std::string with_crlf(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') result += '\r';
    result += c;
  }
  return result;
}

bool same_entries(const config::EnvText& a, const config::EnvText& b) {
  const auto equal = [](const config::EnvEntry& x, const config::EnvEntry& y) {
    return x.name == y.name && x.value == y.value && x.line == y.line;
  };
  return std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(), equal);
}

bool same(const config::EnvText& a, const config::EnvText& b) {
  const auto alike = [](const config::EnvFault& x, const config::EnvFault& y) {
    return x.text == y.text && x.line == y.line;
  };
  return same_entries(a, b) && std::equal(a.faults.begin(), a.faults.end(), b.faults.begin(), b.faults.end(), alike) &&
         std::equal(a.doubts.begin(), a.doubts.end(), b.doubts.begin(), b.doubts.end(), alike) &&
         std::equal(a.foreign.begin(), a.foreign.end(), b.foreign.begin(), b.foreign.end(), alike);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  const config::EnvText read = config::parse_env(text, config::is_variable);

  std::size_t last = 0;
  std::string written;
  std::string as_they_stand;
  for (const config::EnvEntry& entry : read.entries) {
    expect(config::is_variable(entry.name), "our names only");
    expect(entry.line > last && entry.line <= lines, "one entry a line, in order");
    last = entry.line;
    expect(entry.value.find('\0') == std::string::npos, "a value without NUL");
    written += entry.name + "=" + in_quotes(entry.value) + "\n";
    as_they_stand += entry.name + " = " + in_single_quotes(entry.value) + " # it's\n";
  }
  last = 0;
  for (const config::EnvFault& fault : read.faults) {
    expect(fault.line > last && fault.line <= lines, "one fault a line, in order");
    last = fault.line;
    expect(fuzz::is_one_line(fault.text), "a fault that repeats nothing of another's line");
  }
  for (const config::EnvFault& doubt : read.doubts) {
    expect(doubt.line <= lines, "a doubt about a line that there is");
  }

  const config::EnvText again = config::parse_env(written, config::is_variable);
  // A value may look as if another setting was glued to it.
  expect(again.faults.empty(), "what was written properly is read");
  expect(again.entries.size() == read.entries.size(), "as many entries as were written");
  for (std::size_t i = 0; i < again.entries.size(); ++i) {
    expect(again.entries[i].name == read.entries[i].name, "the name as written");
    expect(again.entries[i].value == read.entries[i].value, "the value as written");
  }
  const config::EnvText quoted_otherwise = config::parse_env(as_they_stand, config::is_variable);
  expect(quoted_otherwise.faults.empty() && same_entries(again, quoted_otherwise), "the same in single quotes");
  expect(same(read, config::parse_env(with_crlf(text), config::is_variable)), "the same with CRLF");
  return 0;
}
