// Reads [regions] and [pins], and what the environment has for them. Any thread.
#pragma once

#include <string>
#include <vector>

#include "config/readers.h"
#include "domain/options.h"

namespace config {

// `regions.IL = ["gxy1","gxy2"]` or SERVER_REGIONS = "IL:gxy1,gxy2;US:gxy3". The target is replaced
// only if all of it is good.
Outcome read_regions(const Value& value, const Spot& spot, std::vector<domain::Region>& target);

// `pins."1234" = "gxy5"` or SERVER_ROOMS = "1234,1235:gxy5;2000:gxy6". A group is parted at its
// last colon: ids may hold colons.
Outcome read_pins(const Value& value, const Spot& spot, std::vector<domain::Pin>& target);

// As the environment would have them.
std::string to_text(const std::vector<domain::Region>& regions);
std::string to_text(const std::vector<domain::Pin>& pins);

}  // namespace config
