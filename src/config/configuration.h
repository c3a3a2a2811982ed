// All settings as typed options: what config/ passes to the other folders.
// A plain value; any thread.
#pragma once

#include <vector>

#include "cluster/options.h"
#include "domain/options.h"
#include "health/options.h"
#include "http/options.h"
#include "logging/options.h"
#include "store/options.h"

namespace config {

struct Configuration {
  domain::Options domain;
  health::Options health;
  http::Options http;
  store::Options store;
  cluster::Options cluster;
  logging::Options log;
  std::vector<domain::ConfiguredGateway> gateways;
  std::vector<domain::ConfiguredRoom> rooms;
};

}  // namespace config
