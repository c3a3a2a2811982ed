// The compared rules: the sidecar's as it is in src/domain, the others in a few lines each.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fleet.h"

namespace simulator {

struct Rule {
  using Choose = std::function<domain::GatewayId(const Fleet& fleet)>;

  std::string name;
  domain::LoadBy load_by;  // for ours
  // Made anew for each day: where a new room goes, and one whose gateway died.
  std::function<Choose(std::uint64_t seed)> begin;
};

std::vector<Rule> all_rules();  // ours are the first two

}  // namespace simulator
