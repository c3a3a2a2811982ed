#include "observed.h"

#include <algorithm>

#include "app/clean_up.h"
#include "app/listings.h"
#include "app/release_room.h"
#include "catch.h"
#include "store/assignments_table.h"
#include "store/database.h"
#include "store/sessions_table.h"

namespace model {
namespace {

std::string milliseconds(domain::WallTime time) { return std::to_string(time.time_since_epoch().count()); }

std::string line_of(const domain::Assignment& row) {
  return row.room_id.text() + " " + row.gateway_name + " " + row.region + " " + milliseconds(row.assigned_at) + " " +
         milliseconds(row.last_used_at);
}

}  // namespace

std::string explain(LoneSidecar& sidecar, const std::string& room, const std::string& country) {
  const auto [decision, gateway, candidates] = app::explain_room(*sidecar.registry, domain::RoomId(room), country);
  if (decision.kind == domain::Decision::Kind::refused) return std::string(code_of(decision.refusal));
  return gateway + " " + std::string(to_text(decision.reason));
}

std::string leave(LoneSidecar& sidecar, const std::string& room, const std::string& session) {
  const app::Left left = app::leave_room(*sidecar.registry, domain::RoomId(room), session);
  return std::to_string(left.users) + (left.assignment_removed ? " removed" : "");
}

std::string snapshot(LoneSidecar& sidecar, const std::vector<app::SnapshotEntry>& entries,
                     std::chrono::milliseconds age) {
  const app::SnapshotResult result = app::report_snapshot(*sidecar.registry, entries, age);
  std::string text = std::to_string(result.sessions) + " entered " + std::to_string(result.entered) + " left " +
                     std::to_string(result.left) + " rejected";
  for (const app::RejectedEntry& entry : result.rejected) {
    text += " " + std::to_string(entry.entry) + ":" + std::string(entry.error);
  }
  return text;
}

std::string drain(LoneSidecar& sidecar, const std::string& gateway, bool draining) {
  const auto wanted = draining ? domain::Draining::yes : domain::Draining::no;
  switch (sidecar.keeper->set_draining(gateway, wanted)) {
    case app::CatalogueKeeper::Drained::done:
      return "done";
    case app::CatalogueKeeper::Drained::no_such_gateway:
      return "gateway_not_found";
    default:
      return "storage_unavailable";
  }
}

std::string release(LoneSidecar& sidecar, const std::string& room, bool force) {
  switch (app::release_room(*sidecar.registry, domain::RoomId(room), force)) {
    case app::Released::done:
      return "done";
    case app::Released::no_assignment:
      return "assignment_not_found";
    case app::Released::occupied:
      return "room_occupied";
    default:
      return "storage_unavailable";
  }
}

std::string assignments(LoneSidecar& sidecar) {
  std::string text;
  for (const auto& listing : app::list_assignments(*sidecar.registry, "", 1000, std::nullopt).items) {
    text += line_of(listing.assignment) + " " + std::to_string(listing.users) + "\n";
  }
  return text;
}

std::string rooms_in_use(LoneSidecar& sidecar) {
  std::string text;
  app::Registry::Transaction transaction(*sidecar.registry);
  const domain::Ledger& ledger = transaction.ledger();
  const domain::Options& options = transaction.options();
  const bool by_sessions = options.load_by == domain::LoadBy::sessions;
  std::vector<std::int64_t> recount(ledger.rooms_by_gateway().size()), excess_users(recount.size());
  for (const auto& [name, room] : ledger.rooms()) {
    if (!room.held) continue;
    ++recount[index_of(room.held->gateway)];
    const auto above = static_cast<std::int64_t>(room.users) - options.avg_room_occupancy;
    excess_users[index_of(room.held->gateway)] += std::max<std::int64_t>(above, 0);
    text += line_of(ledger.assignment(name, *room.held)) + " " + std::to_string(room.users) + "\n";
  }
  const auto counted = ledger.rooms_by_gateway();
  if (!std::equal(counted.begin(), counted.end(), recount.begin())) text += "loads are not the recount\n";
  const auto counted_users = ledger.excess_users_by_gateway();
  if (!by_sessions ? !counted_users.empty()
                   : !std::equal(counted_users.begin(), counted_users.end(), excess_users.begin(), excess_users.end()))
    text += "excess users are not the recount\n";
  return text;
}

std::string gateways_listed(LoneSidecar& sidecar) {
  std::string text;
  for (const app::GatewayListing& listing : app::list_gateways(*sidecar.registry)) {
    text += listing.name + (listing.disabled ? " disabled" : "") + (listing.draining ? " draining" : "") + " rooms " +
            std::to_string(listing.rooms) + " load " + std::to_string(listing.load) + " of " +
            std::to_string(listing.capacity);
    for (const std::string& country : listing.regions) text += " " + country;
    text += " users " + std::to_string(listing.users) + "\n";
  }
  return text;
}

std::string rooms_listed(LoneSidecar& sidecar) {
  std::string text;
  for (const app::RoomListing& listing : app::list_rooms(*sidecar.registry, "", 1000).items) {
    text +=
        listing.room.text() + " " + listing.janus.value_or("null") + " users " + std::to_string(listing.users) + "\n";
  }
  return text;
}

std::string assignment_rows(LoneSidecar& sidecar) {
  app::write_last_used(*sidecar.registry, *sidecar.journal);
  REQUIRE(sidecar.journal->flush());
  std::string text;
  sidecar.journal->read([&](store::Database& database) {
    std::vector<std::string> skipped;
    for (const auto& row : store::read_assignments(database, skipped)) text += line_of(row) + "\n";
    CHECK(skipped.empty());
  });
  return text;
}

std::string session_rows(LoneSidecar& sidecar) {
  REQUIRE(sidecar.journal->flush());
  std::string text;
  sidecar.journal->read([&](store::Database& database) {
    std::vector<std::string> skipped;
    for (const auto& row : store::read_sessions(database, skipped)) {
      text += row.session_id + " " + row.room_id.text() + " " + row.reported_gateway.value_or("-") + "\n";
    }
    CHECK(skipped.empty());
  });
  return text;
}

}  // namespace model
