// Reads a whole file of text, as configuration files are. Any thread.
#pragma once

#include <optional>
#include <string>

namespace config {

struct FileText {
  std::optional<std::string> text;  // without a byte order mark
  bool missing = false;             // there is no such file
  std::string trouble;              // else, without a text: why, for people
};

// Never throws for what it finds. More than 64 MiB is no configuration, and refused.
FileText read_file(const std::string& path);

}  // namespace config
