// The route table: what can be asked, whole literals that grep finds, and what answers it.
// Built once at start; the routes are called from any thread, many at once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/settings_view.h"
#include "app/catalogue_keeper.h"
#include "app/fleet_view.h"
#include "app/load_history.h"
#include "app/registry.h"
#include "app/reload_report.h"
#include "http/message.h"

namespace api {

// Why the sidecar is less than well, for /readyz.
struct Readiness {
  bool can_answer = true;            // false while starting and stopping
  std::vector<std::string> reasons;  // none: all is well
};

// What the routes ask. All of it outlives them.
struct Backend {
  app::Registry& registry;
  app::CatalogueKeeper& keeper;
  const app::LoadHistory& load_history;
  // Reads the configuration anew and applies it, or reports why not.
  std::function<app::ReloadReport(bool allow_removals)> reload;
  std::function<Readiness()> readiness;
  std::function<std::string()> metrics{};   // in Prometheus' text format
  std::function<app::FleetView()> fleet{};  // none: alone
  // What is in force, and if asked for what a reload would change.
  std::function<SettingsView(bool preview)> settings{};
};

std::vector<http::Route> routes(const Backend& backend);

}  // namespace api
