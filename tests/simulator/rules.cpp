#include "rules.h"

#include <algorithm>
#include <memory>

#include "chance.h"

namespace simulator {

using tests::Chance;
namespace {

using domain::GatewayId;

GatewayId ours(const Fleet& fleet) {
  const domain::Ledger& ledger = fleet.ledger;
  return *fleet.placement
              ->choose("", {ledger.rooms_by_gateway(), ledger.excess_users_by_gateway(), fleet.health.fitness()})
              .gateway;
}

std::vector<GatewayId> that_are_up(const Fleet& fleet) {
  std::vector<GatewayId> up;
  std::copy_if(fleet.numbers.begin(), fleet.numbers.end(), std::back_inserter(up),
               [&](GatewayId gateway) { return fleet.is_up(gateway); });
  return up;
}

Rule::Choose random(std::uint64_t seed) {
  return [chance = Chance(seed)](const Fleet& fleet) mutable {
    const auto up = that_are_up(fleet);
    return up[chance.below(up.size())];
  };
}

Rule::Choose round_robin(std::uint64_t) {
  return [transaction = std::size_t{0}](const Fleet& fleet) mutable {
    while (!fleet.is_up(fleet.numbers[transaction % gateways])) ++transaction;
    return fleet.numbers[transaction++ % gateways];
  };
}

// The one of two random gateways with fewer users, counted at this instant.
Rule::Choose two_choices(std::uint64_t seed) {
  return [chance = Chance(seed)](const Fleet& fleet) mutable {
    const auto up = that_are_up(fleet);
    const std::size_t first = chance.below(up.size());
    const std::size_t second = (first + 1 + chance.below(up.size() - 1)) % up.size();
    return fleet.users[index_of(up[second])] < fleet.users[index_of(up[first])] ? up[second] : up[first];
  };
}

// The one that had the fewest users when they were measured last.
Rule::Choose measured(std::uint64_t) {
  return [](const Fleet& fleet) {
    const auto up = that_are_up(fleet);
    return *std::min_element(up.begin(), up.end(), [&](GatewayId a, GatewayId b) {
      return fleet.measured[index_of(a)] < fleet.measured[index_of(b)];
    });
  };
}

}  // namespace

std::vector<Rule> all_rules() {
  constexpr auto rooms = domain::LoadBy::rooms;
  const auto begin_ours = [](std::uint64_t) { return Rule::Choose(ours); };
  return {{"ours, `load = \"rooms\"`", rooms, begin_ours},
          {"ours, `load = \"sessions\"`", domain::LoadBy::sessions, begin_ours},
          {"random", rooms, random},
          {"round robin", rooms, round_robin},
          {"two choices", rooms, two_choices},
          {"measured, 10 s old", rooms, measured}};
}

}  // namespace simulator
