// Many sidecars place rooms on the same gateways, and see each other's placements only after a lag. The result is the
// evenness of the spread, by each sidecar's selection.
#pragma once

#include <cstdint>
#include <string_view>

#include "domain/time.h"

namespace simulator {

enum class Habit { least_loaded, random_ties, two_choices, switching, random };
inline constexpr Habit habits[] = {Habit::least_loaded, Habit::random_ties, Habit::two_choices, Habit::switching,
                                   Habit::random};
std::string_view to_text(Habit habit);

struct DecisionInput {
  int sidecars = 1;
  domain::Duration lag{0};        // until one sidecar sees another one's placement
  int rate = 200;                 // new rooms a second, at chance moments and sidecars
  int rooms = 6000;               // so many in all
  std::int64_t rooms_before = 0;  // on each gateway
  bool a_gateway_joins = false;   // an empty one, at the start
};

// An empty gateway joins nine with 600 rooms each.
DecisionInput joining(int sidecars, domain::Duration lag, int rate);
// The 300 rooms of a fleet that was away come again within a second, while nobody has any.
DecisionInput again(int sidecars, domain::Duration lag);

// On ten equal gateways, while no room ends.
struct Evenness {
  double fullest = 0;  // above the mean of all gateways, in % of it, in the mean of the second half of the rooms
  double excess = 0;   // the same in rooms
  double rush = 0;     // the largest share of the rooms of any one second that one gateway got, in %
};

// Over several runs.
Evenness herd(Habit habit, const DecisionInput& input);

}  // namespace simulator
