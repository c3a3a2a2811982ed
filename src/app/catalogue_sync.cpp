#include "app/catalogue_sync.h"

#include <algorithm>
#include <utility>

#include "app/sync_entry.h"
#include "app/sync_gateways.h"
#include "app/sync_rooms.h"

namespace app {
namespace {

template <typename Row>
std::size_t count_named(const std::vector<Row>& rows) {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.from_config && !row.removed_at; }));
}

// How many of those that the configuration named it names no more.
struct LeftOut {
  const char* what;
  std::size_t left;
  std::size_t of;

  bool is_mass() const { return left >= 5 && 2 * left > of; }
  std::string text() const { return std::to_string(left) + " of " + std::to_string(of) + " configured " + what; }
};

void judge_removals(Removals removals, const LeftOut& gateways, const LeftOut& rooms, SyncFindings& findings) {
  const bool is_mass = gateways.is_mass() || rooms.is_mass();
  const bool is_any = gateways.left + rooms.left > 0;
  const std::string numbers = gateways.text() + " and " + rooms.text();
  switch (removals) {
    case Removals::all:
      if (is_mass) findings.warn("", "the configuration no longer names " + numbers + ": they are removed");
      return;
    case Removals::few:
      if (!is_mass) return;
      findings.error("", "the configuration would remove " + numbers +
                             ": put them back, or reload with --allow-removals (allow_removals=true) if that is meant");
      return;
    case Removals::none:
      if (is_any) findings.warn("", "the configuration file holds no settings: " + numbers + " are kept as they were");
      return;
    case Removals::refused:
      if (!is_any) return;
      findings.error(
          "", "the configuration file holds no settings, which would remove " + numbers + ": put the settings back");
      return;
  }
}

}  // namespace

SyncPlan plan_sync(const Configured& configured, CatalogueRows rows, const std::set<std::string>& assigned,
                   domain::WallTime now) {
  SyncPlan plan;
  plan.rows = std::move(rows);
  plan.options = configured.options;
  SyncFindings findings;
  const std::size_t named_gateways = count_named(plan.rows.gateways);
  const std::size_t named_rooms = count_named(plan.rows.rooms);
  GatewaySync gateways(configured, plan, findings);
  gateways.update();
  RoomSync rooms(configured, gateways, plan, findings);
  const std::size_t left_rooms = rooms.update(now);
  const std::size_t left_gateways = gateways.remove_unused(assigned, now);
  judge_removals(configured.removals, {"gateways", left_gateways, named_gateways}, {"rooms", left_rooms, named_rooms},
                 findings);
  gateways.check_names();
  gateways.warn_of_odd_names();
  rooms.check_pins();
  std::set<std::string> accepted;
  if (configured.removals == Removals::none) accepted = plan.rows.accepted;
  gateways.add_accepted(accepted);
  rooms.add_accepted(accepted);
  plan.accepts_others = accepted != plan.rows.accepted;
  plan.rows.accepted = std::move(accepted);
  plan.errors = std::move(findings.errors);
  plan.warnings = std::move(findings.warnings);
  plan.contradictions = std::move(findings.contradictions);
  plan.remade = std::move(findings.remade);
  return plan;
}

std::shared_ptr<const domain::Catalogue> catalogue_of(const CatalogueRows& rows) {
  std::vector<domain::Gateway> gateways;
  gateways.reserve(rows.gateways.size());
  for (const store::GatewayRow& row : rows.gateways) gateways.push_back(row.gateway);
  std::vector<domain::Room> rooms;
  rooms.reserve(rows.rooms.size());
  for (const store::RoomRow& row : rows.rooms) rooms.push_back(row.room);
  return std::make_shared<const domain::Catalogue>(std::move(gateways), std::move(rooms));
}

std::vector<std::string> rooms_without_gateway(const domain::Catalogue& catalogue) {
  std::vector<std::string> sentences;
  for (const domain::Room& room : catalogue.rooms()) {
    if (!room.is_open() || catalogue.default_gateway(room)) continue;
    sentences.push_back("room " + in_quotes(room.gateway_uid.text()) + " (id " + to_text(room.id) +
                        ") has no valid default gateway: default_gateway_id is " + shown(room.default_gateway_id) +
                        "; legacy mode cannot answer it");
  }
  return sentences;
}

}  // namespace app
