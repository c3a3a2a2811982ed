// Reads [[gateways]] and [[rooms]]. Any thread.
#pragma once

#include <vector>

#include "config/report.h"
#include "config/value.h"
#include "domain/options.h"

namespace config {

// Reports whatever is wrong with an entry by itself or beside the others; an entry that has at
// least its name (its gateway_uid) is among the answered ones all the same. A gateway's own
// capacity must be able to hold the average room of the options.
std::vector<domain::ConfiguredGateway> read_gateways(const Value& config_file, const domain::Options& options,
                                                     const Origin& origin, Report& report);
std::vector<domain::ConfiguredRoom> read_rooms(const Value& config_file, const Origin& origin, Report& report);

}  // namespace config
