// Reads the text of a `.env` file: lines of NAME=value. Any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace config {

struct EnvEntry {
  std::string name;
  std::string value;
  std::size_t line = 0;
  std::size_t begin = 0;  // where in the text the value stands, with its quotes
  std::size_t size = 0;
};

struct EnvFault {
  std::size_t line = 0;
  std::string text;    // a sentence without the place
  std::string name{};  // of ours, whose value it leaves unknown; "": none
};

struct EnvText {
  std::vector<EnvEntry> entries;  // every line that sets one of our names, doubles too
  std::vector<EnvFault> faults;   // lines of ours that do not, and what is no line of a `.env`
  std::vector<EnvFault> doubts;   // lines that perhaps are ours, and were not read
  std::vector<EnvFault> foreign;  // names that other programs set, each with its line
};

using IsOurs = std::function<bool(std::string_view name)>;

// Accepted: `export`, blanks around `=`, comments ("#" at the start or after a blank), CRLF. A
// value in single quotes is taken as it stands; in double quotes \" \\ \$ \` \n \r and \t are
// escapes. Nothing is expanded: $HOME stays $HOME. A value ends with its line.
// Other programs share the file: what they may set, and how, is left to them. A line that begins
// with a letter and names nothing of ours is theirs, and so are all lines over which a value of theirs goes: within
// quotes or backticks, JSON or other brackets, a key between -----BEGIN and -----END, after a backslash at the end of a
// line.
EnvText parse_env(std::string_view text, const IsOurs& is_ours);

}  // namespace config
