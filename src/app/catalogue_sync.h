// The catalogue sync: what stands in [[gateways]] and [[rooms]] against what stands in the database.
// Pure: it plans, others write. Any thread. It fails by listing every error.
//
// The rule (CONTRACT.md, "Sync"): new ones are inserted, known ones updated, ids kept for good. A field is
// written only if its configured value differs from the one last synced, so that what an operator changed
// by SQL or import since then stays, with a warning.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "domain/catalogue.h"
#include "domain/options.h"
#include "domain/time.h"
#include "store/gateways_table.h"
#include "store/rooms_table.h"

namespace app {

// What the configuration says of gateways and rooms, and the settings that name them.
struct Configured {
  domain::Options options;
  std::vector<domain::ConfiguredGateway> gateways;
  std::vector<domain::ConfiguredRoom> rooms;
};

struct CatalogueRows {
  std::vector<store::GatewayRow> gateways;
  std::vector<store::RoomRow> rooms;
};

struct SyncPlan {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  CatalogueRows rows;                      // as they are to be
  std::set<std::size_t> changed_gateways;  // which of them are to be written
  std::set<std::size_t> changed_rooms;
  domain::Options options;  // with the default list of available servers spelled out

  bool writes() const { return !changed_gateways.empty() || !changed_rooms.empty(); }
};

// `assigned`: the names of gateways that have assignments.
SyncPlan plan_sync(const Configured& configured, CatalogueRows rows, const std::set<std::string>& assigned,
                   domain::WallTime now);

std::shared_ptr<const domain::Catalogue> catalogue_of(const CatalogueRows& rows);

// A sentence for each open room that legacy mode could not answer.
std::vector<std::string> rooms_without_gateway(const domain::Catalogue& catalogue);

}  // namespace app
