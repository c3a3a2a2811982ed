// What health sources say of the gateways, taken to the registry, and what follows from it told in the log.
// Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/registry.h"

namespace app {

// A source's word on a gateway; one that is not known is of no use.
void observe_gateway(Registry& registry, std::string_view gateway, domain::HealthSource source, bool good);

// To be called now and then: words grow old, and turn gateways up or down.
void evaluate_health(Registry& registry);

}  // namespace app
