// The metrics of a registry over a real database; the end-to-end test looks at the whole of GET /metrics.
#include "metrics/collector.h"

#include "app/clean_up.h"
#include "app/evaluate_health.h"
#include "app/fail_over.h"
#include "app/lone_sidecar.h"
#include "app/release_room.h"
#include "app/report_session.h"
#include "app/report_snapshot.h"
#include "catch.h"
#include "http/listeners.h"

using namespace std::chrono_literals;

namespace {

struct Watched : LoneSidecar {
  Watched() {
    configured.options.regions = {{"IL", {"gxy1"}, ""}, {"US", {"gxy2"}, ""}};
    reload(configured);
  }
  metrics::DaemonState daemon_state;
  http::Server server{
      {}, {{"GET", "/x", [](const auto&) { return http::Response{}; }}}, http::open_listeners("127.0.0.1:0")};
  cluster::Counts shared;
  app::FleetView fleet;
  metrics::Collector collector{{*registry, *journal, *keeper, server, shared, [this] { return fleet; },
                                [this] { return daemon_state; }, "1.2.3"}};

  // The value of "name{labels}", without the prefix; "" if there is none.
  std::string value(const std::string& series) const {
    const std::string text = "\n" + collector.text();
    const std::string start = "\nroom_sidecar_" + series + " ";
    const auto at = text.find(start);
    if (at == text.npos) return "";
    const auto from = at + start.size();
    return text.substr(from, text.find('\n', from) - from);
  }
  void observe(const std::string& dead) {
    for (const auto& gateway : configured.gateways) {
      app::observe_gateway(*registry, gateway.name, domain::HealthSource::http, gateway.name != dead);
    }
  }
};

}  // namespace

TEST_CASE("answers to users are counted by reason, assignments by cause, regions by match") {
  Watched sidecar;
  CHECK(sidecar.ask("1", "IL") == "gxy1 assigned");
  CHECK(sidecar.ask("1", "IL") == "gxy1 sticky");
  CHECK(sidecar.ask("2", "FR") == "gxy3 assigned");
  CHECK(sidecar.ask("nobody knows it") == "room_not_found");
  CHECK(sidecar.value("decisions_total{reason=\"assigned\"}") == "2");
  CHECK(sidecar.value("decisions_total{reason=\"sticky\"}") == "1");
  CHECK(sidecar.value("refusals_total{error=\"room_not_found\"}") == "1");
  CHECK(sidecar.value("assignments_created_total{cause=\"answer\"}") == "2");
  CHECK(sidecar.value("regional_assignments_total{result=\"match\"}") == "1");
  CHECK(sidecar.value("regional_assignments_total{result=\"no_region\"}") == "1");
  CHECK(sidecar.value("gateway_rooms{gateway=\"gxy1\"}") == "1");
  CHECK(sidecar.value("gateway_load_users{gateway=\"gxy1\"}") == "10");
  CHECK(sidecar.value("gateway_capacity_users{gateway=\"gxy1\"}") == "400");
  CHECK(sidecar.value("commit_rows_count") != "0");
}

TEST_CASE("a refused session report is counted by its error, and not as a user's refusal") {
  Watched sidecar;
  const auto refused = [&](const std::string& error) {
    return sidecar.value("session_refusals_total{error=\"" + error + "\"}");
  };
  CHECK(refused("room_not_found") == "0");
  CHECK(sidecar.report("nobody knows it", "a") == "room_not_found");
  CHECK(refused("room_not_found") == "1");
  using Entries = std::vector<app::SnapshotEntry>;
  const auto daemon_state = app::report_snapshot(*sidecar.registry,
                                                 Entries{{"1", "a", std::nullopt},
                                                         {"nor this", "b", std::nullopt},
                                                         {std::nullopt, "c", std::nullopt},
                                                         {"2", "", std::nullopt}},
                                                 0ms);
  CHECK(daemon_state.rejected.size() == 3);
  CHECK(refused("room_not_found") == "2");
  CHECK(refused("invalid_room") == "1");
  CHECK(refused("invalid_session") == "1");
  sidecar.lock_file();
  CHECK(sidecar.report("3", "d") == "storage_unavailable");
  CHECK(refused("storage_unavailable") == "1");
  sidecar.unlock_file();
  CHECK(sidecar.value("refusals_total{error=\"room_not_found\"}") == "0");
}

TEST_CASE("a region whose gateways take no rooms is missed, and has no headroom") {
  Watched sidecar;
  CHECK(sidecar.value("region_headroom_rooms{region=\"IL\"}") == "40");
  CHECK(sidecar.value("headroom_rooms") == "160");
  sidecar.keeper->set_draining("gxy1", domain::Draining::yes);
  CHECK(sidecar.ask("1", "IL") == "gxy3 assigned");
  CHECK(sidecar.value("regional_assignments_total{result=\"miss\"}") == "1");
  CHECK(sidecar.value("region_headroom_rooms{region=\"IL\"}") == "0");
  CHECK(sidecar.value("headroom_rooms") == "119");
  CHECK(sidecar.value("gateway_draining{gateway=\"gxy1\"}") == "1");
}

TEST_CASE("each end of an assignment is counted by its cause") {
  Watched sidecar;
  CHECK(sidecar.report("1", "a") == "gxy3 1");
  CHECK(sidecar.value("assignments_created_total{cause=\"report\"}") == "1");
  CHECK(sidecar.value("gateway_users{gateway=\"gxy3\"}") == "1");
  CHECK(sidecar.value("sessions") == "1");
  CHECK(app::leave_room(*sidecar.registry, "1", "a").assignment_removed);
  CHECK(sidecar.value("assignments_removed_total{cause=\"leave\"}") == "1");

  sidecar.ask("2");
  CHECK(app::release_room(*sidecar.registry, "2", false) == app::Released::done);
  CHECK(sidecar.value("assignments_removed_total{cause=\"release\"}") == "1");

  sidecar.ask("3");
  for (int i = 0; i < 60; ++i) {
    sidecar.pass(3s);  // a longer gap would not count
    app::Registry::Transaction(*sidecar.registry).now();
  }
  CHECK(app::clean_up(*sidecar.registry) == 1);
  CHECK(sidecar.value("assignments_removed_total{cause=\"cleaning\"}") == "1");

  sidecar.ask("4");
  sidecar.configured.rooms[3].disabled = true;
  sidecar.reload(sidecar.configured);
  CHECK(sidecar.value("assignments_removed_total{cause=\"not_admitted\"}") == "1");
  CHECK(sidecar.value("known_rooms") == "49");
}

TEST_CASE("a moved room is not counted as an assigned one") {
  Watched sidecar;
  sidecar.configured.options.health.http = true;
  sidecar.reload(sidecar.configured);
  CHECK(sidecar.ask("1", "IL") == "gxy1 assigned");
  for (int i = 0; i < 10; ++i) {
    sidecar.pass(2s);
    sidecar.observe("gxy1");
    app::evaluate_health(*sidecar.registry);
  }
  CHECK(sidecar.value("gateway_state{gateway=\"gxy1\",state=\"down\"}") == "1");
  CHECK(sidecar.value("gateway_state{gateway=\"gxy2\",state=\"up\"}") == "1");
  app::fail_over(*sidecar.registry);
  CHECK(sidecar.value("assignments_moved_total{cause=\"failover\"}") == "1");
  CHECK(sidecar.value("assignments_created_total{cause=\"answer\"}") == "1");
  CHECK(sidecar.value("gateway_rooms{gateway=\"gxy1\"}") == "0");
}

TEST_CASE("a change to scale mode counts its assignments") {
  Watched sidecar;
  sidecar.configured.options.scale = false;
  sidecar.reload(sidecar.configured);
  CHECK(sidecar.ask("1") == "gxy1 default");
  CHECK(sidecar.value("decisions_total{reason=\"default\"}") == "1");
  CHECK(sidecar.value("scale_mode") == "0");
  CHECK(sidecar.report("1", "a") == "gxy1 1");
  sidecar.configured.options.scale = true;
  sidecar.reload(sidecar.configured);
  CHECK(sidecar.value("scale_mode") == "1");
  CHECK(sidecar.value("assignments_created_total{cause=\"mode_change\"}") == "1");
}

TEST_CASE("a file that cannot be written shows as degraded and as write failures") {
  Watched sidecar;
  CHECK(sidecar.value("degraded{reason=\"storage\"}") == "0");
  CHECK(sidecar.value("write_failures_total") == "0");
  sidecar.lock_file();
  CHECK(sidecar.ask("1") == "storage_unavailable");
  CHECK(sidecar.value("refusals_total{error=\"storage_unavailable\"}") == "1");
  CHECK(sidecar.value("degraded{reason=\"storage\"}") == "1");
  CHECK(sidecar.value("write_failures_total") != "0");
  sidecar.unlock_file();
}

TEST_CASE("the state of the daemon is passed on") {
  Watched sidecar;
  sidecar.daemon_state = {3, 1, true, true, true};
  CHECK(sidecar.value("build_info{version=\"1.2.3\"}") == "1");
  CHECK(sidecar.value("config_reloads_total{result=\"applied\"}") == "3");
  CHECK(sidecar.value("config_reloads_total{result=\"refused\"}") == "1");
  CHECK(sidecar.value("config_last_reload_successful") == "0");
  CHECK(sidecar.value("degraded{reason=\"health_sources\"}") == "1");
  CHECK(sidecar.value("degraded{reason=\"cluster\"}") == "1");
}

TEST_CASE("rooms without a valid default gateway are counted") {
  Watched sidecar;
  CHECK(sidecar.value("rooms_without_default_gateway") == "0");
  sidecar.execute("UPDATE rooms SET default_gateway_id = 999 WHERE gateway_uid = '7'");
  sidecar.keeper->refresh();
  CHECK(sidecar.value("rooms_without_default_gateway") == "1");
}

TEST_CASE("a sidecar that shares no store has the store's counters at 0, and none of its gauges") {
  Watched sidecar;
  const auto state = GENERATE(std::optional<std::string>(), std::optional<std::string>("idle"));
  sidecar.fleet.engine = state ? "etcd" : "none";
  sidecar.fleet.state = state;
  sidecar.fleet.age = 3s;
  CHECK(sidecar.value("cluster_claims_total{outcome=\"won\"}") == "0");
  CHECK(sidecar.value("cluster_failures_total") == "0");
  CHECK(sidecar.value("cluster_transaction_duration_seconds_count") == "0");
  for (const char* gauge : {"up", "age_seconds", "max_stale_seconds", "sidecars", "members{state=\"well\"}"}) {
    CHECK(sidecar.value(std::string("cluster_") + gauge).empty());
  }
}

TEST_CASE("the state of the shared store, its members and the other sidecars is reported") {
  Watched sidecar;
  sidecar.fleet.engine = "etcd";
  sidecar.fleet.state = "live";
  sidecar.fleet.age = 2500ms;
  sidecar.fleet.max_stale = 5min;
  sidecar.fleet.sidecars.resize(3);
  sidecar.fleet.members.resize(3);
  sidecar.fleet.members[1].problem = "does not answer";
  CHECK(sidecar.value("cluster_up") == "1");
  CHECK(sidecar.value("cluster_age_seconds") == "2.5");
  CHECK(sidecar.value("cluster_max_stale_seconds") == "300");
  CHECK(sidecar.value("cluster_sidecars") == "3");
  CHECK(sidecar.value("cluster_members{state=\"well\"}") == "2");
  CHECK(sidecar.value("cluster_members{state=\"ill\"}") == "1");
  for (const char* state : {"listing", "stale", "outdated"}) {
    sidecar.fleet.state = state;
    CHECK(sidecar.value("cluster_up") == "0");
  }
  sidecar.fleet.age.reset();
  CHECK(sidecar.value("cluster_age_seconds").empty());
}

TEST_CASE("requests to the shared store are counted by their outcome") {
  using app::ClaimOutcome;
  Watched sidecar;
  sidecar.shared.claims[ClaimOutcome::won].add(4);
  sidecar.shared.claims[ClaimOutcome::lost].add(3);
  sidecar.shared.claims[ClaimOutcome::retry].add(2);
  sidecar.shared.claims[ClaimOutcome::failed].add();
  sidecar.shared.transactions.observe(2'000'000);
  sidecar.shared.failures.add(5);
  sidecar.shared.changes.add(6);
  sidecar.shared.listings.add(7);
  sidecar.shared.conflicts.add(8);
  CHECK(sidecar.value("cluster_claims_total{outcome=\"won\"}") == "4");
  CHECK(sidecar.value("cluster_claims_total{outcome=\"lost\"}") == "3");
  CHECK(sidecar.value("cluster_claims_total{outcome=\"again\"}") == "2");
  CHECK(sidecar.value("cluster_claims_total{outcome=\"failed\"}") == "1");
  CHECK(sidecar.value("cluster_transaction_duration_seconds_bucket{le=\"0.001\"}") == "0");
  CHECK(sidecar.value("cluster_transaction_duration_seconds_bucket{le=\"0.0025\"}") == "1");
  CHECK(sidecar.value("cluster_failures_total") == "5");
  CHECK(sidecar.value("cluster_changes_total") == "6");
  CHECK(sidecar.value("cluster_listings_total") == "7");
  CHECK(sidecar.value("cluster_conflicts_total") == "8");
}
