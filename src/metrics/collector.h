// What GET /metrics answers. Everything is read when it is asked for: atomics, and the desk in
// slices with pauses, so that nobody waits for it. Any thread, many at once. docs/monitoring.md
// lists the metrics.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "app/catalogue_keeper.h"
#include "app/desk.h"
#include "app/fleet_view.h"
#include "cluster/counts.h"
#include "http/door.h"

namespace metrics {

class Families;

// What only the daemon knows.
struct Told {
  std::uint64_t reloads_applied = 0;
  std::uint64_t reloads_refused = 0;
  bool last_reload_refused = false;
  bool sources_in_trouble = false;  // less is heard of the gateways' health than there should be
  bool store_in_trouble = false;    // the one that several sidecars share
};

// All of it outlives the collector.
struct Sources {
  app::Desk& desk;
  const store::Journal& journal;
  const app::CatalogueKeeper& keeper;
  const http::Door& door;
  const cluster::Counts& cluster;
  std::function<app::FleetView()> fleet;
  std::function<Told()> told;
  std::string version;
};

class Collector {
 public:
  explicit Collector(Sources sources) : sources_(std::move(sources)) {}

  std::string text() const;

 private:
  void add_sidecar(Families& families) const;
  void add_requests(Families& families) const;
  void add_rooms(Families& families) const;
  void add_gateways(Families& families) const;
  void add_storage(Families& families) const;

  Sources sources_;
};

}  // namespace metrics
