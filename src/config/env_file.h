// Reads the text of a `.env` file: lines of NAME=value. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace config {

struct EnvEntry {
  std::string name;
  std::string value;
  std::size_t line = 0;
};

struct EnvFault {
  std::size_t line = 0;
  std::string text;  // a sentence without the place
};

struct EnvText {
  std::vector<EnvEntry> entries;  // every line that sets something, doubles too
  std::vector<EnvFault> faults;   // every line that is neither that nor a comment nor blank
};

// Accepted: `export`, blanks around `=`, comments ("#" at the start or after a blank), CRLF. A
// value in single quotes is taken as it stands; in double quotes \" \\ \$ \` \n \r and \t are
// escapes. Nothing is expanded: $HOME stays $HOME. A value ends with its line.
EnvText parse_env(std::string_view text);

}  // namespace config
