// What GET /metrics answers. Everything is read when it is asked for: atomics, and the registry in
// slices with pauses, so that nobody waits for it. Any thread, many at once. docs/monitoring.md
// lists the metrics.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "app/catalogue_keeper.h"
#include "app/fleet_view.h"
#include "app/registry.h"
#include "cluster/counts.h"
#include "http/server.h"

namespace metrics {

class Families;

// What only the daemon knows.
struct DaemonState {
  std::uint64_t reloads_applied = 0;
  std::uint64_t reloads_refused = 0;
  bool last_reload_refused = false;
  bool has_source_problem = false;  // a health source reports less than it should
  bool has_store_problem = false;   // the one that several sidecars share
};

// All of it outlives the collector.
struct Sources {
  app::Registry& registry;
  const store::Journal& journal;
  const app::CatalogueKeeper& keeper;
  const http::Server& server;
  const cluster::Counts& cluster;
  std::function<app::FleetView()> fleet;
  std::function<DaemonState()> daemon_state;
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
