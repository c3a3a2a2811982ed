// The catalogue sync: what stands in [[gateways]] and [[rooms]] against what stands in the database.
// Pure: it plans, others write. Any thread. It fails by listing every error.
//
// Many at once are more than half of the gateways or of the rooms that the configuration named, and at least five.
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

// What becomes of gateways and rooms that a configuration named before and names no more.
enum class Removals {
  all,      // they are removed; many of them at once with a warning
  few,      // they are removed, but many at once are refused: of a reload
  none,     // they stay, with a warning: of a start without a configuration
  refused,  // any is refused: of a reload without one
};

// What the configuration says of gateways and rooms, and the settings that name them.
struct Configured {
  domain::Options options;
  std::vector<domain::ConfiguredGateway> gateways;
  std::vector<domain::ConfiguredRoom> rooms;
  Removals removals = Removals::all;
  std::set<std::string> named_before;  // gateways of the configuration that is in force, at a reload
};

struct CatalogueRows {
  std::vector<store::GatewayRow> gateways;
  std::vector<store::RoomRow> rooms;
  std::vector<domain::RowId> skipped_gateways;  // ids of rows that could not be used: they are taken
  std::vector<domain::RowId> skipped_rooms;
  // What the configuration named when it was last accepted (accepted_of): if such an entry does not fit the rows any
  // more, it was the rows that somebody changed, by SQL.
  std::set<std::string> accepted;
};

struct SyncPlan {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  // Those of the warnings that say which entries have no effect, since the database says otherwise.
  std::vector<std::string> contradictions;
  std::vector<std::string> remade;  // warnings, too: gateways whose rows are gone, and come again with another id
  CatalogueRows rows;               // as they are to be
  std::set<std::size_t> changed_gateways;  // which of them are to be written
  std::set<std::size_t> changed_rooms;
  bool accepts_others = false;  // than were accepted before: rows.accepted is to be written
  domain::Options options;      // with the default list of available servers spelled out

  bool writes() const { return !changed_gateways.empty() || !changed_rooms.empty() || accepts_others; }
};

// `assigned`: the names of gateways that have assignments.
SyncPlan plan_sync(const Configured& configured, CatalogueRows rows, const std::set<std::string>& assigned,
                   domain::WallTime now);

std::shared_ptr<const domain::Catalogue> catalogue_of(const CatalogueRows& rows);

// A sentence for each open room that legacy mode could not answer.
std::vector<std::string> rooms_without_gateway(const domain::Catalogue& catalogue);

}  // namespace app
