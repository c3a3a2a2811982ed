#include "health/secret.h"

#include "files/read_file.h"

namespace health {

std::string first_line_of(const std::string& path) {
  std::string line = files::first_line(files::read_file(path).text.value_or(""));
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace health
