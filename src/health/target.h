// Where a gateway is asked, and over how many connections all of them.
#pragma once

#include <string>

namespace health {

struct Target {
  std::string gateway;
  std::string url;
};

inline constexpr long kept_connections = 256;

}  // namespace health
