// Whether the system lets the process open as many files as its connections may need. Any thread; never throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/load.h"

namespace config {

// So many files may be open at once, with all connections in use, both sockets flooded, every gateway asked.
std::int64_t needed_descriptors(const Configuration& configuration);

// A warning with the numbers that work, if this process, and so what it starts, may not open so many.
std::optional<std::string> too_few_descriptors(const Loaded& loaded);

}  // namespace config
