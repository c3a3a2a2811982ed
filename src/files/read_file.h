// Reads a whole file that somebody wrote for the sidecar: configuration, token, secret. A pipe or a device cannot keep
// the caller for longer than a second; a disk or a file system that hangs can. Any thread. Never throws for what it finds.
#pragma once

#include <optional>
#include <string>

namespace files {

struct FileText {
  std::optional<std::string> text;  // without a byte order mark
  bool missing = false;             // there is no such file
  std::string trouble;              // else, without a text: why, for people
};

// More than 64 MiB is refused.
FileText read_file(const std::string& path);

// The first line of a text, without what ends it.
std::string first_line(const std::string& text);

}  // namespace files
