// Secrets that stand in files. Any thread.
#pragma once

#include <string>

namespace health {

// Without what ends it; "" if the file cannot be read.
std::string first_line_of(const std::string& path);

}  // namespace health
