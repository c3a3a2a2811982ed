#include "app/catalogue_keeper.h"

#include <utility>

#include "app/change_policy.h"
#include "app/event_log.h"
#include "store/assignments_table.h"
#include "store/database.h"
#include "store/failure.h"
#include "store/gateways_table.h"
#include "store/journal.h"
#include "store/meta_table.h"
#include "store/rooms_table.h"
#include "store/sessions_table.h"

namespace app {
namespace {

constexpr const char* mode_key = "mode";
constexpr const char* mode_scale = "scale";
constexpr const char* mode_legacy = "legacy";

CatalogueRows rows_in(store::Database& database, std::vector<std::string>& skipped) {
  return {store::read_gateways(database, skipped), store::read_rooms(database, skipped)};
}

void write_plan(store::Database& database, const SyncPlan& plan) {
  for (const std::size_t i : plan.changed_gateways) store::write_gateway(database, plan.rows.gateways[i]);
  for (const std::size_t i : plan.changed_rooms) store::write_room(database, plan.rows.rooms[i]);
  // Sessions are kept in the file only while scale mode lasts; older ones are of no use to the next.
  const std::string mode = plan.options.scale ? mode_scale : mode_legacy;
  const auto before = store::read_meta(database, mode_key);
  if (before == mode) return;
  if (plan.options.scale) store::erase_all_sessions(database);
  store::write_meta(database, mode_key, mode);
}

std::set<std::string> gateways_in_use(Desk& desk) {
  std::set<std::string> names;
  Desk::Turn turn(desk);
  const auto rooms = turn.ledger().rooms_by_gateway();
  for (domain::GatewayNumber number = 0; number < rooms.size(); ++number) {
    if (rooms[number] > 0) names.insert(turn.ledger().name_of(number));
  }
  return names;
}

void tell(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) log_warn(warning);
}

domain::WallTime wall_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace

Opening read_opening(store::Database& database, const Configured& configured, domain::WallTime now) {
  Opening opening;
  CatalogueRows rows = rows_in(database, opening.skipped);
  opening.assignments = store::read_assignments(database, opening.skipped);
  opening.was_scale = store::read_meta(database, mode_key) == mode_scale;
  if (opening.was_scale) opening.sessions = store::read_sessions(database, opening.skipped);
  std::set<std::string> assigned;
  for (const domain::Assignment& row : opening.assignments) assigned.insert(row.gateway_name);
  opening.plan = plan_sync(configured, std::move(rows), assigned, now);
  return opening;
}

void write_opening(store::Database& database, const Opening& opening) {
  const bool same_mode = opening.was_scale == opening.plan.options.scale &&
                         store::read_meta(database, mode_key).has_value();
  if (!opening.plan.writes() && same_mode) return;
  database.transaction([&] { write_plan(database, opening.plan); });
}

void open_desk(Desk& desk, const Opening& opening) {
  {
    Desk::Turn turn(desk);
    turn.ledger().restore(opening.assignments, opening.sessions, turn.now());
  }
  const auto catalogue = catalogue_of(opening.plan.rows);
  domain::Options before = opening.plan.options;
  // Rolled back by a restart: told as by a reload. (A restart into scale mode knows of no live room.)
  if (opening.was_scale && !before.scale) {
    before.scale = true;
    change_policy(desk, before, catalogue);
  }
  change_policy(desk, opening.plan.options, catalogue);
}

CatalogueKeeper::CatalogueKeeper(Desk& desk, store::Journal& journal, std::string database_path,
                                 Configured configured, bool unwritten)
    : desk_(desk),
      journal_(journal),
      path_(std::move(database_path)),
      configured_(std::move(configured)),
      options_in_force_(desk.policy()->options()),
      unwritten_(unwritten) {}

CatalogueRows CatalogueKeeper::read_rows() {
  // A connection of its own, so that no commit waits for a hundred thousand rooms to be read.
  store::Database database(path_, store::OpenMode::read_only);
  std::vector<std::string> skipped;
  CatalogueRows rows;
  database.read_transaction([&] { rows = rows_in(database, skipped); });
  for (const std::string& sentence : skipped) log_warn("Row left out", {{"reason", sentence}});
  return rows;
}

CatalogueKeeper::Result CatalogueKeeper::apply(const Configured& configured) {
  Result result;
  SyncPlan plan = plan_sync(configured, read_rows(), gateways_in_use(desk_), wall_now());
  result.warnings = plan.warnings;
  if (!plan.errors.empty()) {
    result.problems = std::move(plan.errors);
    return result;
  }
  unwritten_ = false;
  if (plan.writes() || plan.options.scale != options_in_force_.scale) {
    try {
      journal_.run([&](store::Database& database) { write_plan(database, plan); });
    } catch (const store::Failure& failure) {
      unwritten_ = true;
      result.warnings.push_back(std::string("in force, but not yet in the file: ") + failure.what());
    }
  }
  change_policy(desk_, plan.options, catalogue_of(plan.rows));
  options_in_force_ = std::move(plan.options);
  return result;
}

CatalogueKeeper::Result CatalogueKeeper::reload(Configured configured) {
  const std::lock_guard lock(mutex_);
  Result result;
  try {
    result = apply(configured);
  } catch (const store::Failure& failure) {
    result.problems.push_back(failure.what());
  }
  if (result.problems.empty()) {
    tell(result.warnings);
    configured_ = std::move(configured);
  }
  return result;
}

void CatalogueKeeper::refresh() {
  const std::lock_guard lock(mutex_);
  change_policy(desk_, options_in_force_, catalogue_of(read_rows()));
}

void CatalogueKeeper::retry() {
  const std::lock_guard lock(mutex_);
  if (!unwritten_) return;
  const SyncPlan plan = plan_sync(configured_, read_rows(), gateways_in_use(desk_), wall_now());
  if (!plan.errors.empty()) return;
  journal_.run([&](store::Database& database) { write_plan(database, plan); });
  unwritten_ = false;
  log_info("Configuration written to the database");
}

CatalogueKeeper::Drained CatalogueKeeper::set_draining(std::string_view gateway, bool draining) {
  const auto policy = desk_.policy();
  const domain::Gateway* known = policy->catalogue().gateway(gateway);
  if (!known || known->removed) return Drained::no_such_gateway;
  bool found = false;
  try {
    journal_.run([&](store::Database& database) {
      found = store::set_draining(database, std::string(gateway), draining);
    });
  } catch (const store::Failure&) {
    return Drained::storage_unavailable;
  }
  if (!found) return Drained::no_such_gateway;
  log_info(draining ? "Gateway drains: no new rooms on it" : "Gateway takes new rooms again",
           {{"gateway_name", gateway}});
  refresh();
  return Drained::done;
}

}  // namespace app
