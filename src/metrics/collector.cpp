#include "metrics/collector.h"

#include <algorithm>
#include <map>
#include <vector>

#include "app/listings.h"
#include "http/refusal.h"
#include "metrics/families.h"
#include "metrics/shared_store.h"
#include "store/journal.h"

namespace metrics {
namespace {

using app::AssignedBy;
using app::RegionalMatch;
using app::RemovedBy;
using domain::GatewayState;

std::string_view to_text(AssignedBy by) {
  switch (by) {
    case AssignedBy::answer:
      return "answer";
    case AssignedBy::report:
      return "report";
    case AssignedBy::gateways:
      return "gateways";
    case AssignedBy::failover:
      return "failover";
    case AssignedBy::drain:
      return "drain";
    case AssignedBy::mode_change:
      return "mode_change";
  }
  return "";
}

std::string_view to_text(RemovedBy by) {
  switch (by) {
    case RemovedBy::leave:
      return "leave";
    case RemovedBy::cleaning:
      return "cleaning";
    case RemovedBy::release:
      return "release";
    case RemovedBy::not_admitted:
      return "not_admitted";
    case RemovedBy::mode_change:
      return "mode_change";
  }
  return "";
}

std::string_view to_text(RegionalMatch match) {
  switch (match) {
    case RegionalMatch::match:
      return "match";
    case RegionalMatch::miss:
      return "miss";
    case RegionalMatch::no_region:
      return "no_region";
  }
  return "";
}

// Each value has its series from the start, so that a first event differs from a first scrape.
template <typename Kind, Kind Last, typename Text>
void add_each(Families& families, std::string_view label, const counts::CounterBy<Kind, Last>& counters, Text text) {
  for (std::size_t i = 0; i < counters.size; ++i) {
    const auto kind = static_cast<Kind>(i);
    families.add({{label, text(kind)}}, counters[kind].value());
  }
}

constexpr auto text_of = [](auto kind) { return to_text(kind); };

// Rooms that a gateway can still get before it is full, as placement counts them.
std::int64_t headroom(const app::GatewayListing& gateway, std::int64_t occupancy) {
  const bool takes_rooms =
      gateway.available && !gateway.disabled && !gateway.draining && gateway.state != GatewayState::down;
  return takes_rooms ? std::max<std::int64_t>(gateway.capacity - gateway.load, 0) / occupancy : 0;
}

constexpr double ns_per_second = 1e9;

}  // namespace

std::string Collector::text() const {
  Families families;
  add_sidecar(families);
  add_requests(families);
  add_rooms(families);
  add_gateways(families);
  add_storage(families);
  add_shared_store(families, sources_.fleet(), sources_.cluster);
  return families.text();
}

void Collector::add_sidecar(Families& families) const {
  const DaemonState daemon_state = sources_.daemon_state();
  bool brakes = false;
  std::uint64_t brakings = 0;
  {
    const app::Registry::View view(sources_.registry);
    brakes = view.health().brakes();
    brakings = view.health().brakings();
  }
  families.gauge("room_sidecar_build_info", "Always 1; the label names the running version.")
      .add({{"version", sources_.version}}, true);
  families.gauge("room_sidecar_scale_mode", "1 in scale mode, 0 in legacy mode.")
      .add({}, sources_.registry.policy()->options().scale);
  families.gauge("room_sidecar_degraded", "1 while the sidecar is degraded for this reason; /readyz says more.")
      .add({{"reason", "storage"}}, sources_.journal.failure() || sources_.journal.refusal())
      .add({{"reason", "configuration"}}, sources_.keeper.has_unwritten() || !sources_.keeper.contradictions().empty())
      .add({{"reason", "health_sources"}}, daemon_state.has_source_problem)
      .add({{"reason", "brake"}}, brakes)
      .add({{"reason", "cluster"}}, daemon_state.has_store_problem)
      .add({{"reason", "session_reports"}}, sources_.server.shedding().refuses_session_reports());
  families
      .counter("room_sidecar_brakes_applied_total",
               "Times that most gateways failed at once, so that no room was moved.")
      .add({}, brakings);
  families.counter("room_sidecar_config_reloads_total", "Reloads of the configuration.")
      .add({{"result", "applied"}}, daemon_state.reloads_applied)
      .add({{"result", "refused"}}, daemon_state.reloads_refused);
  families.gauge("room_sidecar_config_last_reload_successful", "0 if the last reload was refused.")
      .add({}, !daemon_state.last_reload_refused);
}

void Collector::add_requests(Families& families) const {
  const std::vector<http::RouteReading> routes = sources_.server.requests();
  families.counter("room_sidecar_http_requests_total", "Requests answered, by route and status.");
  for (const http::RouteReading& route : routes) {
    const bool none = route.pattern.empty();
    for (const auto& [status, count] : route.by_status) {
      families.add({{"method", none ? "none" : route.method},
                    {"route", none ? "none" : route.pattern},
                    {"status", status == 0 ? "other" : std::to_string(status)}},
                   count);
    }
  }
  families.histogram("room_sidecar_http_request_duration_seconds",
                     "Time from the whole request to its answer, by route; without requests that were refused unread.",
                     ns_per_second);
  for (const http::RouteReading& route : routes) {
    if (route.pattern.empty()) continue;
    families.add({{"method", route.method}, {"route", route.pattern}}, route.duration);
  }
  families.gauge("room_sidecar_http_connections", "Open connections.")
      .add({}, static_cast<std::uint64_t>(sources_.server.connections()));
  const http::LoadShedding& shedding = sources_.server.shedding();
  families
      .counter("room_sidecar_http_connections_shed_total",
               "Connections refused because http.max_connections was reached.")
      .add({}, shedding.connections_refused());
  families
      .counter("room_sidecar_http_connections_displaced_total",
               "Idle connections without an authorised answer that were closed to admit new ones.")
      .add({}, shedding.connections_displaced());
  families
      .counter("room_sidecar_http_large_bodies_refused_total",
               "Bodies above 64 KiB refused because the limit of those received at once was reached.")
      .add({}, shedding.large_bodies_refused());
}

void Collector::add_rooms(Families& families) const {
  const app::RoomCounts& counts = sources_.registry.counts();
  families.counter("room_sidecar_decisions_total", "Users answered with a gateway, by reason.");
  add_each(families, "reason", counts.answers, text_of);
  families.counter("room_sidecar_refusals_total", "Users refused a gateway, by error.");
  add_each(families, "error", counts.refusals, [](domain::Refusal refusal) { return code_of(refusal); });
  families.counter("room_sidecar_session_refusals_total", "Session reports refused, by error.");
  add_each(families, "error", counts.session_refusals, [](domain::Refusal refusal) { return code_of(refusal); });
  add_each(families, "error", counts.invalid_reports,
           [](app::InvalidId what) { return what == app::InvalidId::room ? "invalid_room" : "invalid_session"; });
  families.add({{"error", http::too_many_connections.code}}, sources_.server.shedding().session_reports_refused());
  families.counter("room_sidecar_assignments_created_total", "Rooms assigned that had no assignment, by cause.");
  add_each(families, "cause", counts.created, text_of);
  families.counter("room_sidecar_assignments_moved_total", "Assignments moved to another gateway, by cause.");
  add_each(families, "cause", counts.moved, text_of);
  families.counter("room_sidecar_assignments_removed_total", "Assignments ended, by cause.");
  add_each(families, "cause", counts.removed, text_of);
  families.counter("room_sidecar_regional_assignments_total",
                   "Rooms assigned for a user, by whether the gateway is in the user's region.");
  add_each(families, "result", counts.regional, text_of);

  std::size_t sessions = 0;
  std::size_t splits = 0;
  {
    const app::Registry::View view(sources_.registry);
    sessions = view.ledger().sessions().live();
    splits = view.splits().size();
  }
  const auto policy = sources_.registry.policy();
  std::uint64_t known = 0;
  std::uint64_t without = 0;
  for (const domain::Room& room : policy->catalogue().rooms()) {
    if (!room.is_open()) continue;
    ++known;
    if (!policy->legacy_gateway(room)) ++without;
  }
  families.gauge("room_sidecar_sessions", "Live sessions reported to this sidecar.")
      .add({}, static_cast<std::uint64_t>(sessions));
  families
      .gauge("room_sidecar_split_rooms", "Rooms with participants on another gateway than the one that is answered.")
      .add({}, static_cast<std::uint64_t>(splits));
  families.gauge("room_sidecar_known_rooms", "Rooms that are known, enabled and not removed.").add({}, known);
  families
      .gauge("room_sidecar_rooms_without_default_gateway",
             "Known rooms that legacy mode cannot answer: without a valid default gateway and without a pin.")
      .add({}, without);
}

void Collector::add_gateways(Families& families) const {
  const std::vector<app::GatewayListing> gateways = app::list_gateways(sources_.registry);
  const auto policy = sources_.registry.policy();
  const auto each = [&](auto value) {
    for (const auto& gateway : gateways) families.add({{"gateway", gateway.name}}, value(gateway));
  };
  families.gauge("room_sidecar_gateway_rooms", "Rooms assigned to the gateway.");
  each([](const auto& gateway) { return gateway.rooms; });
  families.gauge("room_sidecar_gateway_users", "Live sessions in the gateway's rooms, at all sidecars.");
  each([](const auto& gateway) { return gateway.users; });
  families.gauge("room_sidecar_gateway_load_users", "Load of the gateway, as placement counts it.");
  each([](const auto& gateway) { return gateway.load; });
  families.gauge("room_sidecar_gateway_capacity_users", "Load at which the gateway is full.");
  each([](const auto& gateway) { return gateway.capacity; });
  families.gauge("room_sidecar_gateway_available", "1 if the gateway is listed for new rooms.");
  each([](const auto& gateway) { return gateway.available; });
  families.gauge("room_sidecar_gateway_disabled", "1 if the gateway is disabled.");
  each([](const auto& gateway) { return gateway.disabled; });
  families.gauge("room_sidecar_gateway_draining", "1 if the gateway is draining.");
  each([](const auto& gateway) { return gateway.draining; });
  families.gauge("room_sidecar_gateway_state", "1 for the health state of the gateway, 0 for the other states.");
  for (const auto& gateway : gateways) {
    for (const auto state : {GatewayState::up, GatewayState::suspect, GatewayState::down, GatewayState::unknown}) {
      families.add({{"gateway", gateway.name}, {"state", to_text(state)}}, gateway.state == state);
    }
  }

  const std::int64_t occupancy = policy->options().avg_room_occupancy;
  families.gauge("room_sidecar_room_occupancy_users", "The setting balancing.avg_room_occupancy.").add({}, occupancy);
  std::int64_t all = 0;
  std::map<std::string_view, std::int64_t> by_region;
  for (const domain::Region& region : policy->options().regions) by_region[region.country];
  for (const auto& gateway : gateways) {
    const std::int64_t rooms = headroom(gateway, occupancy);
    all += rooms;
    for (const std::string& region : gateway.regions) by_region[region] += rooms;
  }
  families.gauge("room_sidecar_headroom_rooms", "New rooms that can be placed before every gateway is full.")
      .add({}, all);
  families.gauge("room_sidecar_region_headroom_rooms",
                 "New rooms that can be placed before every gateway of the region is full.");
  for (const auto& [region, rooms] : by_region) families.add({{"region", region}}, rooms);
}

void Collector::add_storage(Families& families) const {
  const store::CommitCounts& counts = sources_.journal.counts();
  const store::Journal::Queue queue = sources_.journal.queue();
  families
      .histogram("room_sidecar_commit_duration_seconds", "How long a transaction of the journal takes.", ns_per_second)
      .add({}, counts.duration.read());
  families.histogram("room_sidecar_commit_rows", "Rows that a transaction of the journal writes.", 1)
      .add({}, counts.rows.read());
  families.counter("room_sidecar_write_failures_total", "Attempts to write to the database that failed.")
      .add({}, counts.failures.value());
  families.gauge("room_sidecar_database_log_bytes", "Size of the -wal file beside the database.")
      .add({}, static_cast<std::uint64_t>(sources_.journal.log_size()));
  families.gauge("room_sidecar_journal_queue_rows", "Rows not in the database yet.")
      .add({}, static_cast<std::uint64_t>(queue.rows));
  families.gauge("room_sidecar_journal_queue_claims", "Assignments among these rows that a request waits for.")
      .add({}, static_cast<std::uint64_t>(queue.claims));
}

}  // namespace metrics
