// The part of GET /metrics about the store that several sidecars share. Any thread; never fails.
#pragma once

#include "app/fleet_view.h"
#include "cluster/counts.h"

namespace metrics {

class Families;

// Without a shared store the counters are 0, and the gauges have no series: they would say nothing.
void add_shared_store(Families& families, const app::FleetView& view, const cluster::Counts& counts);

}  // namespace metrics
