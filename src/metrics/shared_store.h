// The part of GET /metrics that tells of the store which several sidecars share. Any thread; never fails.
#pragma once

#include "app/fleet_view.h"
#include "cluster/counts.h"

namespace metrics {

class Families;

// Whoever shares nothing has the counters, at 0, and of the gauges no series: there is nothing to be told by them.
void add_shared_store(Families& families, const app::FleetView& view, const cluster::Counts& counts);

}  // namespace metrics
