#include "app/catalogue_keeper.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "app/change_policy.h"
#include "app/clock.h"
#include "domain/row_ids.h"
#include "logging/log.h"
#include "store/assignments_table.h"
#include "store/database.h"
#include "store/failovers_table.h"
#include "store/failure.h"
#include "store/gateways_table.h"
#include "store/journal.h"
#include "store/meta_table.h"
#include "store/rooms_table.h"
#include "store/sessions_table.h"

namespace app {
namespace {

constexpr const char* mode_key = "mode";
constexpr const char* accepted_key = "accepted";  // a line each
constexpr const char* mode_scale = "scale";
constexpr const char* mode_legacy = "legacy";

CatalogueRows rows_in(store::Database& database, std::vector<std::string>& skipped) {
  CatalogueRows rows;
  rows.gateways = store::read_gateways(database, skipped, &rows.skipped_gateways);
  rows.rooms = store::read_rooms(database, skipped, &rows.skipped_rooms);
  std::istringstream accepted(store::read_meta(database, accepted_key).value_or(""));
  for (std::string line; std::getline(accepted, line);) rows.accepted.insert(line);
  return rows;
}

CatalogueRows rows_logged(store::Database& database) {
  std::vector<std::string> skipped;
  CatalogueRows rows = rows_in(database, skipped);
  for (const std::string& sentence : skipped) logging::warn("Row left out", {{"reason", sentence}});
  return rows;
}

enum class Emptied { is_fine, is_damage };

// By a connection of its own, so that no commit waits for a hundred thousand rooms to be read.
CatalogueRows rows_of_file(const std::string& path, Emptied emptied) {
  store::Database database(path, store::OpenMode::read_again);
  // One that was cut to nothing reads as a database without rooms.
  if (emptied == Emptied::is_damage && database.found_version() == 0) {
    throw store::damaged(path, "it is empty");
  }
  CatalogueRows rows;
  database.read_transaction([&] { rows = rows_logged(database); });
  return rows;
}

void write_rows(store::Database& database, const SyncPlan& plan) {
  for (const std::size_t i : plan.changed_gateways) store::write_gateway(database, plan.rows.gateways[i]);
  for (const std::size_t i : plan.changed_rooms) store::write_room(database, plan.rows.rooms[i]);
  if (!plan.accepts_others) return;
  std::string lines;
  for (const std::string& line : plan.rows.accepted) lines += line + '\n';
  store::write_meta(database, accepted_key, lines);
}

// A row for a gateway that has none any more, so that what is to become of its rooms survives a restart.
void write_removed(store::Database& database, std::string_view gateway, domain::Draining draining) {
  std::vector<std::string> skipped;
  const CatalogueRows rows = rows_in(database, skipped);
  domain::RowIds ids;
  for (const store::GatewayRow& row : rows.gateways) ids.take(row.gateway.id, row.gateway.name);
  for (const domain::RowId id : rows.skipped_gateways) ids.take(id, "(a row left out)");
  store::GatewayRow row;
  row.gateway.name = gateway;
  row.gateway.id = ids.acquire_next(row.gateway.name);
  row.gateway.draining = draining != domain::Draining::no;
  row.gateway.evacuating = draining == domain::Draining::and_evacuating;
  row.removed_at = wall_now();
  store::write_gateway(database, row);
}

// Some 1 us each.
constexpr std::size_t sessions_noted_per_slice = 256;

std::string mode_of(const domain::Options& options) { return options.scale ? mode_scale : mode_legacy; }

template <typename Row>
std::size_t count_present(const std::vector<Row>& rows) {
  return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [](const Row& r) { return !r.removed_at; }));
}

std::set<std::string> gateways_in_use(Registry& registry) {
  std::set<std::string> names;
  const Registry::View view(registry);
  const auto rooms = view.ledger().rooms_by_gateway();
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    if (rooms[i] > 0) names.insert(view.ledger().name_of(domain::GatewayId(i)));
  }
  return names;
}

domain::Draining draining_of(const domain::Gateway& gateway) {
  if (!gateway.draining) return domain::Draining::no;
  return gateway.evacuating ? domain::Draining::and_evacuating : domain::Draining::yes;
}

void log_warnings(const std::vector<std::string>& warnings) {
  if (warnings.empty() || !logging::may_log("Warnings about gateways and rooms")) return;
  for (const std::string& warning : warnings) logging::warn(warning);
}

}  // namespace

StartupState read_startup_state(store::Database& database, const Configured& configured, domain::WallTime now) {
  StartupState startup;
  CatalogueRows rows = rows_in(database, startup.skipped);
  startup.assignments = store::read_assignments(database, startup.skipped);
  startup.was_scale = store::read_meta(database, mode_key) == mode_scale;
  if (startup.was_scale) startup.sessions = store::read_sessions(database, startup.skipped);
  startup.failovers = store::read_failovers(database, startup.skipped);
  std::set<std::string> assigned;
  for (const domain::Assignment& row : startup.assignments) assigned.insert(row.gateway_name);
  startup.plan = plan_sync(configured, std::move(rows), assigned, now);
  return startup;
}

void write_startup_state(store::Database& database, const StartupState& startup) {
  const std::string mode = mode_of(startup.plan.options);
  if (!startup.plan.writes() && store::read_meta(database, mode_key) == mode) return;
  database.transaction([&] {
    write_rows(database, startup.plan);
    // Sessions are kept in the file only while scale mode lasts; older ones are of no use to the next.
    if (startup.plan.options.scale && !startup.was_scale) store::erase_all_sessions(database);
    store::write_meta(database, mode_key, mode);
  });
}

std::vector<std::string> sync_problems(const std::string& database_path, const Configured& configured) {
  CatalogueRows rows;
  try {
    rows = rows_of_file(database_path, Emptied::is_fine);
  } catch (const store::Failure&) {
    // Without a file that can be read, the configuration alone has to do.
  }
  return plan_sync(configured, std::move(rows), {}, wall_now()).errors;
}

void start_registry(Registry& registry, const StartupState& startup) {
  {
    Registry::Transaction transaction(registry);
    transaction.ledger().restore(startup.assignments, startup.sessions, startup.failovers, transaction.now());
  }
  const auto catalogue = catalogue_of(startup.plan.rows);
  domain::Options before = startup.plan.options;
  // Rolled back by a restart: logged as after a reload. (A restart into scale mode knows of no live room.)
  if (startup.was_scale && !before.scale) {
    before.scale = true;
    change_policy(registry, before, catalogue);
  }
  change_policy(registry, startup.plan.options, catalogue);
}

CatalogueKeeper::CatalogueKeeper(Registry& registry, store::Journal& journal, std::string database_path,
                                 Configured configured, bool unwritten, std::vector<std::string> contradictions)
    : contradictions_(std::move(contradictions)),
      registry_(registry),
      journal_(journal),
      path_(std::move(database_path)),
      unwritten_(unwritten),
      configured_(std::move(configured)),
      options_in_force_(registry.policy()->options()) {}

// While storage fails the name may stand for nothing, or for another file: the connection that is open
// still has the one that is served, and mostly in memory.
CatalogueRows CatalogueKeeper::read_rows() {
  alteration_.reset();
  if (!journal_.failure()) {
    try {
      return rows_of_file(path_, Emptied::is_damage);
    } catch (const store::Failure& failure) {
      // What is written into a damaged file is not safe there, so the journal must know.
      if (failure.kind() == store::Failure::Kind::damaged) {
        journal_.run([&](store::Database&) { throw failure; });
      }
    }
  }
  CatalogueRows rows;
  std::optional<std::string> alteration;
  try {
    journal_.read([&](store::Database& database) {
      alteration = database.alteration();
      rows = rows_logged(database);
    });
  } catch (const store::Failure& failure) {
    alteration_ = alteration;
    if (!alteration || failure.kind() != store::Failure::Kind::unusable) throw;
    throw store::Failure(store::Failure::Kind::altered, *alteration);  // which says more
  }
  alteration_ = alteration;
  return rows;
}

SyncPlan CatalogueKeeper::plan_against_file(const Configured& configured) {
  return plan_sync(configured, read_rows(), gateways_in_use(registry_), wall_now());
}

SyncPlan CatalogueKeeper::write_sync(const Configured& configured) {
  const std::set<std::string> in_use = gateways_in_use(registry_);
  SyncPlan plan;
  // Planned anew under the file's write lock: what others have committed by now must not be overwritten.
  journal_.run([&](store::Database& database) {
    std::vector<std::string> skipped;
    plan = plan_sync(configured, rows_in(database, skipped), in_use, wall_now());
    if (plan.errors.empty()) write_rows(database, plan);
  });
  return plan;
}

void CatalogueKeeper::write_mode(bool scale) {
  if (scale) {
    journal_.run([](store::Database& database) { store::erase_all_sessions(database); });
    std::string after;
    while (Registry::Transaction(registry_).ledger().note_sessions(after, sessions_noted_per_slice))
      registry_.pause_between_slices();
  }
  // The mode last: a crash before that finds rows and sessions of a legacy mode, which nobody relies on.
  journal_.run(
      [&](store::Database& database) { store::write_meta(database, mode_key, scale ? mode_scale : mode_legacy); });
}

CatalogueKeeper::Result CatalogueKeeper::apply(const Configured& configured) {
  Result result;
  SyncPlan plan = plan_against_file(configured);
  const bool new_mode = plan.options.scale != options_in_force_.scale;
  bool written = !unwritten_;
  std::string why_not;
  if (plan.errors.empty() && plan.writes()) {
    try {
      plan = write_sync(configured);
    } catch (const store::Failure& failure) {
      written = false;
      why_not = failure.what();
    }
  }
  result.warnings = plan.warnings;
  if (!plan.errors.empty()) {
    result.problems = std::move(plan.errors);
    return result;
  }
  const auto claims = change_policy(registry_, plan.options, catalogue_of(plan.rows));
  options_in_force_ = plan.options;
  record_contradictions(plan.contradictions);
  result.gateways = count_present(plan.rows.gateways);
  result.rooms = count_present(plan.rows.rooms);
  const auto deadline = registry_.deadline();
  for (const auto& claim : claims) claim->wait_until(deadline);
  if (new_mode) {
    try {
      write_mode(plan.options.scale);
    } catch (const store::Failure& failure) {
      written = false;
      why_not = failure.what();
    }
  }
  unwritten_ = !written;
  if (!why_not.empty()) result.warnings.push_back("in force, but not yet in the file: " + why_not);
  return result;
}

CatalogueKeeper::Result CatalogueKeeper::reload(Configured configured) {
  const locks::MutexLock lock(mutex_);
  for (const domain::ConfiguredGateway& entry : configured_.gateways) configured.named_before.insert(entry.name);
  Result result;
  try {
    result = apply(configured);
  } catch (const store::Failure& failure) {
    result.problems.push_back(failure.what());
  }
  if (result.problems.empty()) {
    log_warnings(result.warnings);
    configured_ = std::move(configured);
  }
  return result;
}

void CatalogueKeeper::refresh() {
  const locks::MutexLock lock(mutex_);
  try {
    refresh_locked();
  } catch (const store::Failure& failure) {
    // It is reported, what was read before stays in force, and the commit that undoes it is seen.
    if (failure.kind() != store::Failure::Kind::altered) throw;
  }
}

void CatalogueKeeper::refresh_locked() {
  CatalogueRows rows;
  try {
    rows = read_rows();
  } catch (const store::Failure&) {
    if (alteration_) report_contradictions({});
    throw;
  }
  change_policy(registry_, options_in_force_, catalogue_of(rows));
  SyncPlan plan = plan_sync(configured_, std::move(rows), gateways_in_use(registry_), wall_now());
  plan.contradictions.insert(plan.contradictions.end(), plan.remade.begin(), plan.remade.end());
  report_contradictions(std::move(plan.contradictions));
}

// What the next start would log about the file is logged at once.
void CatalogueKeeper::report_contradictions(std::vector<std::string> sentences) {
  const std::vector<std::string> before = contradictions();
  record_contradictions(std::move(sentences));
  for (const std::string& sentence : contradictions()) {
    if (std::find(before.begin(), before.end(), sentence) == before.end()) logging::warn(sentence);
  }
}

std::vector<std::string> CatalogueKeeper::contradictions() const {
  const locks::MutexLock lock(contradictions_mutex_);
  return contradictions_;
}

void CatalogueKeeper::record_contradictions(std::vector<std::string> sentences) {
  if (alteration_) sentences.push_back(*alteration_ + "; the next start is refused");
  const locks::MutexLock lock(contradictions_mutex_);
  contradictions_ = std::move(sentences);
}

// Puts in force what the file holds by now, where it cannot be read again.
void CatalogueKeeper::mark_draining(std::string_view name, domain::Draining draining) {
  const auto policy = registry_.policy();
  std::vector<domain::Gateway> gateways = policy->catalogue().gateways();
  for (domain::Gateway& gateway : gateways) {
    if (gateway.name != name) continue;
    gateway.draining = draining != domain::Draining::no;
    gateway.evacuating = draining == domain::Draining::and_evacuating;
  }
  change_policy(registry_, options_in_force_,
                std::make_shared<domain::Catalogue>(std::move(gateways), policy->catalogue().rooms()));
}

void CatalogueKeeper::retry() {
  const locks::MutexLock lock(mutex_);
  if (!unwritten_) return;
  if (!write_sync(configured_).errors.empty()) return;
  write_mode(options_in_force_.scale);
  unwritten_ = false;
  logging::info("Configuration written to the database");
  refresh_locked();
}

// Also one that SQL has removed, deleted or renamed, as long as rooms are there: they may have to be moved.
bool CatalogueKeeper::can_drain(std::string_view gateway) {
  const auto policy = registry_.policy();
  const domain::Gateway* known = policy->catalogue().gateway(gateway);
  return (known && !known->removed) || gateways_in_use(registry_).count(std::string(gateway)) > 0;
}

CatalogueKeeper::Drained CatalogueKeeper::set_draining(std::string_view gateway, domain::Draining draining) {
  const auto deadline = registry_.deadline();
  const locks::MutexLock lock(mutex_);
  if (!can_drain(gateway)) return Drained::no_such_gateway;
  if (!registry_.claims().share_draining(std::string(gateway), draining, deadline)) return Drained::storage_unavailable;
  return write_draining(gateway, draining);
}

CatalogueKeeper::Drained CatalogueKeeper::follow_draining(std::string_view gateway, domain::Draining draining) {
  const locks::MutexLock lock(mutex_);
  if (!can_drain(gateway)) return Drained::no_such_gateway;
  const auto policy = registry_.policy();
  const domain::Gateway* known = policy->catalogue().gateway(gateway);
  if (known && draining_of(*known) == draining) return Drained::done;
  return write_draining(gateway, draining);
}

CatalogueKeeper::Drained CatalogueKeeper::write_draining(std::string_view gateway, domain::Draining draining) {
  try {
    journal_.run([&](store::Database& database) {
      if (!store::set_draining(database, std::string(gateway), draining)) write_removed(database, gateway, draining);
    });
  } catch (const store::Failure&) {
    return Drained::storage_unavailable;
  }
  try {
    refresh_locked();
  } catch (const store::Failure&) {
    mark_draining(gateway, draining);
  }
  constexpr const char* what_it_does[] = {"Gateway takes new rooms again", "Gateway drains: no new rooms on it",
                                          "Gateway drains and its rooms are moved: no rooms on it"};
  logging::info(what_it_does[static_cast<int>(draining)], {{"gateway_name", gateway}});
  return Drained::done;
}

}  // namespace app
