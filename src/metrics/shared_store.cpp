#include "metrics/shared_store.h"

#include <string_view>

#include "metrics/families.h"

namespace metrics {
namespace {

using cluster::ClaimOutcome;

std::string_view to_text(ClaimOutcome outcome) {
  switch (outcome) {
    case ClaimOutcome::won:
      return "won";
    case ClaimOutcome::lost:
      return "lost";
    case ClaimOutcome::again:
      return "again";
    case ClaimOutcome::failed:
      return "failed";
  }
  return "";
}

double seconds(std::chrono::milliseconds time) { return std::chrono::duration<double>(time).count(); }

void add_state(Families& families, const app::FleetView& view) {
  const bool shares = view.state && view.state != "idle";
  std::uint64_t well = 0;
  std::uint64_t ill = 0;
  for (const auto& member : view.members) ++(member.problem ? ill : well);
  families.gauge("room_sidecar_cluster_up", "1 while the shared store answers and its changes are followed.");
  if (shares) families.add({}, view.state == "live");
  families.gauge("room_sidecar_cluster_age_seconds",
                 "What is known of the shared store is no older than that; no series: nobody knows.");
  if (shares && view.age) families.add({}, seconds(*view.age));
  families.gauge("room_sidecar_cluster_max_stale_seconds", "The setting cluster.max_stale.");
  if (shares) families.add({}, seconds(view.max_stale));
  families.gauge("room_sidecar_cluster_sidecars", "Sidecars that share their assignments, this one among them.");
  if (shares) families.add({}, static_cast<std::uint64_t>(view.sidecars.size()));
  families.gauge("room_sidecar_cluster_members", "Members of the shared store, well or not.");
  if (shares) families.add({{"state", "well"}}, well).add({{"state", "ill"}}, ill);
}

}  // namespace

void add_shared_store(Families& families, const app::FleetView& view, const cluster::Counts& counts) {
  add_state(families, view);
  families.counter("room_sidecar_cluster_claims_total",
                   "Rooms that the shared store was asked to give to a gateway, by what came of it.");
  for (std::size_t i = 0; i < counts.claims.size; ++i) {
    const auto outcome = static_cast<ClaimOutcome>(i);
    families.add({{"outcome", to_text(outcome)}}, counts.claims[outcome].value());
  }
  families
      .histogram("room_sidecar_cluster_transaction_duration_seconds",
                 "Of the transactions that the shared store has answered, retries included.", 1e9)
      .add({}, counts.transactions.read());
  families.counter("room_sidecar_cluster_failures_total", "Transactions that it did not answer in time, or refused.")
      .add({}, counts.failures.value());
  families.counter("room_sidecar_cluster_changes_total", "Changes in the shared store that were followed.")
      .add({}, counts.changes.value());
  families.counter("room_sidecar_cluster_listings_total", "How often all of the shared store was read.")
      .add({}, counts.listings.value());
  families
      .counter("room_sidecar_cluster_conflicts_total",
               "Rooms that were on another gateway in the shared store than here.")
      .add({}, counts.conflicts.value());
}

}  // namespace metrics
