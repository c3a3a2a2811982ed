// How the gateways' health is judged. Names are those of config.toml's [health].
#pragma once

#include <chrono>
#include <cstdint>

#include "domain/time.h"

namespace domain {

struct HealthOptions {
  bool http = false;
  bool mqtt = false;
  Duration interval = std::chrono::seconds{2};      // between two probe results of one source for one gateway
  std::int64_t fall = 3;                            // bad results in a row that make it down
  std::int64_t rise = 2;                            // good results in a row that make it up
  Duration stale_after = std::chrono::seconds{30};  // an older result does not count
  double brake = 0.5;                               // if a larger part goes bad within stale_after, nothing is moved

  bool watches() const { return http || mqtt; }
};

}  // namespace domain
