#include "app/catalogue_sync.h"

#include <utility>

#include "app/sync_entry.h"
#include "app/sync_gateways.h"
#include "app/sync_rooms.h"

namespace app {

SyncPlan plan_sync(const Configured& configured, CatalogueRows rows, const std::set<std::string>& assigned,
                   domain::WallTime now) {
  SyncPlan plan;
  plan.rows = std::move(rows);
  plan.options = configured.options;
  SyncFindings findings;
  GatewaySync gateways(configured, plan, findings);
  gateways.update();
  RoomSync(configured, gateways, plan, findings).update(now);
  gateways.remove_unused(assigned, now);
  gateways.check_names();
  plan.errors = std::move(findings.errors);
  plan.warnings = std::move(findings.warnings);
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
    sentences.push_back("room " + in_quotes(room.gateway_uid) + " (id " + std::to_string(room.id) +
                        ") has no valid default gateway: default_gateway_id is " + shown(room.default_gateway_id) +
                        "; legacy mode cannot answer it");
  }
  return sentences;
}

}  // namespace app
