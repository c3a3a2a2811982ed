#include "metrics/shared_store.h"

#include <string_view>

#include "metrics/families.h"

namespace metrics {
namespace {

using app::ClaimOutcome;

std::string_view to_text(ClaimOutcome outcome) {
  switch (outcome) {
    case ClaimOutcome::won:
      return "won";
    case ClaimOutcome::lost:
      return "lost";
    case ClaimOutcome::retry:
      return "again";
    case ClaimOutcome::failed:
      return "failed";
    case ClaimOutcome::timed_out:
      break;  // of a caller only
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
                 "Age at most of what is known of the shared store; no series while the age is unknown.");
  if (shares && view.age) families.add({}, seconds(*view.age));
  families.gauge("room_sidecar_cluster_max_stale_seconds", "The setting cluster.max_stale.");
  if (shares) families.add({}, seconds(view.max_stale));
  families.gauge("room_sidecar_cluster_sidecars", "Sidecars that share their assignments, including this one.");
  if (shares) families.add({}, static_cast<std::uint64_t>(view.sidecars.size()));
  families.gauge("room_sidecar_cluster_members", "Members of the shared store, well or not.");
  if (shares) families.add({{"state", "well"}}, well).add({{"state", "ill"}}, ill);
}

}  // namespace

void add_shared_store(Families& families, const app::FleetView& view, const cluster::Counts& counts) {
  add_state(families, view);
  families.counter("room_sidecar_cluster_claims_total",
                   "Claims of a gateway for a room at the shared store, by outcome.");
  for (std::size_t i = 0; i < counts.claims.size; ++i) {
    const auto outcome = static_cast<ClaimOutcome>(i);
    families.add({{"outcome", to_text(outcome)}}, counts.claims[outcome].value());
  }
  families
      .histogram("room_sidecar_cluster_transaction_duration_seconds",
                 "How long answered transactions of the shared store take, with retries.", 1e9)
      .add({}, counts.transactions.read());
  families
      .counter("room_sidecar_cluster_failures_total",
               "Transactions that the shared store refused or did not answer in time.")
      .add({}, counts.failures.value());
  families.counter("room_sidecar_cluster_changes_total", "Changes in the shared store that were followed.")
      .add({}, counts.changes.value());
  families.counter("room_sidecar_cluster_listings_total", "Times that the whole shared store was read.")
      .add({}, counts.listings.value());
  families
      .counter("room_sidecar_cluster_conflicts_total",
               "Rooms that the shared store had on another gateway than this sidecar.")
      .add({}, counts.conflicts.value());
}

}  // namespace metrics
