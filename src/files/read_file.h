// Reads a whole file that somebody wrote for the sidecar: configuration, token, secret, list. A pipe or a device that
// nobody writes to cannot keep the caller for longer than a second; a disk or a file system that hangs can. Any thread.
// Never throws for what it finds.
#pragma once

#include <optional>
#include <string>

namespace files {

struct FileText {
  std::optional<std::string> text;  // without a byte order mark
  bool missing = false;             // there is no such file
  std::string problem;              // else, without a text: why, for people
};

enum class Writer { must_be_quick, may_take_its_time };

// More than 64 MiB is refused, and a pipe whose end does not come within a second, unless its writer may take its time.
FileText read_file(const std::string& path, Writer writer = Writer::must_be_quick);

// The same for a file that stands in a usual place and was not named: root follows no link there that another user owns,
// and reads no pipe of such a user's. What messages show of a file could else be another file's.
FileText read_usual_file(const std::string& path);

// Why a library that opens the file by itself must not be given it; empty if it may. It would wait for a pipe for ever.
std::string problem_with_plain_file(const std::string& path);

// The first line of a text, without what ends it.
std::string first_line(const std::string& text);

}  // namespace files
