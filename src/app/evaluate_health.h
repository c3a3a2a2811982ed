// Takes the health sources' probe results to the registry, and logs what follows from them.
// Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/registry.h"

namespace app {

// A source's probe result for a gateway; ignored for a gateway that is not known.
void observe_gateway(Registry& registry, std::string_view gateway, domain::HealthSource source, bool good);

// To be called now and then: probe results grow old, which changes the gateways' states.
void evaluate_health(Registry& registry);

}  // namespace app
