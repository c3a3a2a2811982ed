// What must hold between settings that are each well by themselves. Any thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "config/configuration.h"
#include "config/report.h"

namespace config {

// Where a setting got its value.
struct Given {
  const Origin* origin = nullptr;  // none: the default
  std::size_t line = 0;
  std::string name;      // as its source calls it
  bool refused = false;  // by at least one source: its value is not what was meant
};

// By key; every setting is in it.
using GivenSettings = std::map<std::string_view, Given>;

// Reports an average room above a gateway's capacity, an address that others can reach without a
// token, and a [cluster] of which a half is missing or contradicts the other. Refused settings
// are not mentioned again.
void check_together(const Configuration& configuration, const GivenSettings& given, Report& report);

}  // namespace config
