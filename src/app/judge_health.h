// What health sources say of the gateways, taken to the desk, and what follows from it told in the log.
// Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/desk.h"

namespace app {

// A source's word on a gateway; one that is not known is of no use.
void hear_of_gateway(Desk& desk, std::string_view gateway, domain::HealthSource source, bool good);

// To be called now and then: words grow old, and turn gateways up or down.
void judge_health(Desk& desk);

}  // namespace app
