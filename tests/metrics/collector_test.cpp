// What GET /metrics tells of a desk over a real database; the end-to-end test looks at the whole.
#include "metrics/collector.h"

#include "app/clean_up.h"
#include "app/fail_over.h"
#include "app/house.h"
#include "app/judge_health.h"
#include "app/release_room.h"
#include "app/report_session.h"
#include "app/report_snapshot.h"
#include "catch.h"
#include "http/listeners.h"

using namespace std::chrono_literals;

namespace {

struct Watched : House {
  Watched() {
    configured.options.regions = {{"IL", {"gxy1"}, ""}, {"US", {"gxy2"}, ""}};
    reload(configured);
  }
  metrics::Told told;
  http::Door door{
      {}, {{"GET", "/x", [](const auto&) { return http::Response{}; }}}, http::open_listeners("127.0.0.1:0")};
  cluster::Counts shared;
  app::FleetView fleet;
  metrics::Collector collector{
      {*desk, *journal, *keeper, door, shared, [this] { return fleet; }, [this] { return told; }, "1.2.3"}};

  // The value of "name{labels}", without the prefix; "" if there is none.
  std::string value(const std::string& series) const {
    const std::string text = "\n" + collector.text();
    const std::string start = "\nroom_sidecar_" + series + " ";
    const auto at = text.find(start);
    if (at == text.npos) return "";
    const auto from = at + start.size();
    return text.substr(from, text.find('\n', from) - from);
  }
  void hear(const std::string& dead) {
    for (const auto& gateway : configured.gateways) {
      app::hear_of_gateway(*desk, gateway.name, domain::HealthSource::http, gateway.name != dead);
    }
  }
};

}  // namespace

TEST_CASE("a user's answer is counted by its reason, an assignment by its cause, a region by its match") {
  Watched house;
  CHECK(house.ask("1", "IL") == "gxy1 assigned");
  CHECK(house.ask("1", "IL") == "gxy1 sticky");
  CHECK(house.ask("2", "FR") == "gxy3 assigned");
  CHECK(house.ask("nobody knows it") == "room_not_found");
  CHECK(house.value("decisions_total{reason=\"assigned\"}") == "2");
  CHECK(house.value("decisions_total{reason=\"sticky\"}") == "1");
  CHECK(house.value("refusals_total{error=\"room_not_found\"}") == "1");
  CHECK(house.value("assignments_created_total{cause=\"answer\"}") == "2");
  CHECK(house.value("regional_assignments_total{result=\"match\"}") == "1");
  CHECK(house.value("regional_assignments_total{result=\"no_region\"}") == "1");
  CHECK(house.value("gateway_rooms{gateway=\"gxy1\"}") == "1");
  CHECK(house.value("gateway_load_users{gateway=\"gxy1\"}") == "10");
  CHECK(house.value("gateway_capacity_users{gateway=\"gxy1\"}") == "400");
  CHECK(house.value("commit_rows_count") != "0");
}

TEST_CASE("a refused session report is counted by its error, and as no user's refusal") {
  Watched house;
  const auto refused = [&](const std::string& error) {
    return house.value("session_refusals_total{error=\"" + error + "\"}");
  };
  CHECK(refused("room_not_found") == "0");
  CHECK(house.report("nobody knows it", "a") == "room_not_found");
  CHECK(refused("room_not_found") == "1");
  using Entries = std::vector<app::SnapshotEntry>;
  const auto told = app::report_snapshot(*house.desk,
                                         Entries{{"1", "a", std::nullopt},
                                                 {"nor this", "b", std::nullopt},
                                                 {std::nullopt, "c", std::nullopt},
                                                 {"2", "", std::nullopt}},
                                         0ms);
  CHECK(told.rejected.size() == 3);
  CHECK(refused("room_not_found") == "2");
  CHECK(refused("invalid_room") == "1");
  CHECK(refused("invalid_session") == "1");
  house.lock_file();
  CHECK(house.report("3", "d") == "storage_unavailable");
  CHECK(refused("storage_unavailable") == "1");
  house.unlock_file();
  CHECK(house.value("refusals_total{error=\"room_not_found\"}") == "0");
}

TEST_CASE("a region whose gateways take no rooms is missed, and has no headroom") {
  Watched house;
  CHECK(house.value("region_headroom_rooms{region=\"IL\"}") == "40");
  CHECK(house.value("headroom_rooms") == "160");
  house.keeper->set_draining("gxy1", domain::Draining::yes);
  CHECK(house.ask("1", "IL") == "gxy3 assigned");
  CHECK(house.value("regional_assignments_total{result=\"miss\"}") == "1");
  CHECK(house.value("region_headroom_rooms{region=\"IL\"}") == "0");
  CHECK(house.value("headroom_rooms") == "119");
  CHECK(house.value("gateway_draining{gateway=\"gxy1\"}") == "1");
}

TEST_CASE("each end of an assignment is counted by what ended it") {
  Watched house;
  CHECK(house.report("1", "a") == "gxy3 1");
  CHECK(house.value("assignments_created_total{cause=\"report\"}") == "1");
  CHECK(house.value("gateway_users{gateway=\"gxy3\"}") == "1");
  CHECK(house.value("sessions") == "1");
  CHECK(app::leave_room(*house.desk, "1", "a").assignment_removed);
  CHECK(house.value("assignments_removed_total{cause=\"leave\"}") == "1");

  house.ask("2");
  CHECK(app::release_room(*house.desk, "2", false) == app::Released::done);
  CHECK(house.value("assignments_removed_total{cause=\"release\"}") == "1");

  house.ask("3");
  for (int i = 0; i < 60; ++i) {
    house.pass(3s);  // a longer gap would be one in which nothing ran
    app::Desk::Turn(*house.desk).now();
  }
  CHECK(app::clean_up(*house.desk) == 1);
  CHECK(house.value("assignments_removed_total{cause=\"cleaning\"}") == "1");

  house.ask("4");
  house.configured.rooms[3].disabled = true;
  house.reload(house.configured);
  CHECK(house.value("assignments_removed_total{cause=\"not_admitted\"}") == "1");
  CHECK(house.value("known_rooms") == "49");
}

TEST_CASE("a room that is moved is not counted as one that was assigned") {
  Watched house;
  house.configured.options.health.http = true;
  house.reload(house.configured);
  CHECK(house.ask("1", "IL") == "gxy1 assigned");
  for (int i = 0; i < 10; ++i) {
    house.pass(2s);
    house.hear("gxy1");
    app::judge_health(*house.desk);
  }
  CHECK(house.value("gateway_state{gateway=\"gxy1\",state=\"down\"}") == "1");
  CHECK(house.value("gateway_state{gateway=\"gxy2\",state=\"up\"}") == "1");
  app::fail_over(*house.desk);
  CHECK(house.value("assignments_moved_total{cause=\"failover\"}") == "1");
  CHECK(house.value("assignments_created_total{cause=\"answer\"}") == "1");
  CHECK(house.value("gateway_rooms{gateway=\"gxy1\"}") == "0");
}

TEST_CASE("a change to scale mode counts what it assigns") {
  Watched house;
  house.configured.options.scale = false;
  house.reload(house.configured);
  CHECK(house.ask("1") == "gxy1 default");
  CHECK(house.value("decisions_total{reason=\"default\"}") == "1");
  CHECK(house.value("scale_mode") == "0");
  CHECK(house.report("1", "a") == "gxy1 1");
  house.configured.options.scale = true;
  house.reload(house.configured);
  CHECK(house.value("scale_mode") == "1");
  CHECK(house.value("assignments_created_total{cause=\"mode_change\"}") == "1");
}

TEST_CASE("a file that cannot be written shows as degraded and as write failures") {
  Watched house;
  CHECK(house.value("degraded{reason=\"storage\"}") == "0");
  CHECK(house.value("write_failures_total") == "0");
  house.lock_file();
  CHECK(house.ask("1") == "storage_unavailable");
  CHECK(house.value("refusals_total{error=\"storage_unavailable\"}") == "1");
  CHECK(house.value("degraded{reason=\"storage\"}") == "1");
  CHECK(house.value("write_failures_total") != "0");
  house.unlock_file();
}

TEST_CASE("what the daemon tells is passed on") {
  Watched house;
  house.told = {3, 1, true, true, true};
  CHECK(house.value("build_info{version=\"1.2.3\"}") == "1");
  CHECK(house.value("config_reloads_total{result=\"applied\"}") == "3");
  CHECK(house.value("config_reloads_total{result=\"refused\"}") == "1");
  CHECK(house.value("config_last_reload_successful") == "0");
  CHECK(house.value("degraded{reason=\"health_sources\"}") == "1");
  CHECK(house.value("degraded{reason=\"cluster\"}") == "1");
}

TEST_CASE("rooms without a valid default gateway are counted") {
  Watched house;
  CHECK(house.value("rooms_without_default_gateway") == "0");
  house.execute("UPDATE rooms SET default_gateway_id = 999 WHERE gateway_uid = '7'");
  house.keeper->refresh();
  CHECK(house.value("rooms_without_default_gateway") == "1");
}

TEST_CASE("who shares no store has its counters at 0, and none of its gauges") {
  Watched house;
  const auto state = GENERATE(std::optional<std::string>(), std::optional<std::string>("idle"));
  house.fleet.engine = state ? "etcd" : "none";
  house.fleet.state = state;
  house.fleet.age = 3s;
  CHECK(house.value("cluster_claims_total{outcome=\"won\"}") == "0");
  CHECK(house.value("cluster_failures_total") == "0");
  CHECK(house.value("cluster_transaction_duration_seconds_count") == "0");
  for (const char* gauge : {"up", "age_seconds", "max_stale_seconds", "sidecars", "members{state=\"well\"}"}) {
    CHECK(house.value(std::string("cluster_") + gauge).empty());
  }
}

TEST_CASE("what is known of the shared store, its members and the other sidecars is told") {
  Watched house;
  house.fleet.engine = "etcd";
  house.fleet.state = "live";
  house.fleet.age = 2500ms;
  house.fleet.max_stale = 5min;
  house.fleet.sidecars.resize(3);
  house.fleet.members.resize(3);
  house.fleet.members[1].problem = "does not answer";
  CHECK(house.value("cluster_up") == "1");
  CHECK(house.value("cluster_age_seconds") == "2.5");
  CHECK(house.value("cluster_max_stale_seconds") == "300");
  CHECK(house.value("cluster_sidecars") == "3");
  CHECK(house.value("cluster_members{state=\"well\"}") == "2");
  CHECK(house.value("cluster_members{state=\"ill\"}") == "1");
  for (const char* state : {"listing", "stale", "outdated"}) {
    house.fleet.state = state;
    CHECK(house.value("cluster_up") == "0");
  }
  house.fleet.age.reset();
  CHECK(house.value("cluster_age_seconds").empty());
}

TEST_CASE("what the shared store was asked for is counted by what came of it") {
  using cluster::ClaimOutcome;
  Watched house;
  house.shared.claims[ClaimOutcome::won].add(4);
  house.shared.claims[ClaimOutcome::lost].add(3);
  house.shared.claims[ClaimOutcome::again].add(2);
  house.shared.claims[ClaimOutcome::failed].add();
  house.shared.transactions.observe(2'000'000);
  house.shared.failures.add(5);
  house.shared.changes.add(6);
  house.shared.listings.add(7);
  house.shared.conflicts.add(8);
  CHECK(house.value("cluster_claims_total{outcome=\"won\"}") == "4");
  CHECK(house.value("cluster_claims_total{outcome=\"lost\"}") == "3");
  CHECK(house.value("cluster_claims_total{outcome=\"again\"}") == "2");
  CHECK(house.value("cluster_claims_total{outcome=\"failed\"}") == "1");
  CHECK(house.value("cluster_transaction_duration_seconds_bucket{le=\"0.001\"}") == "0");
  CHECK(house.value("cluster_transaction_duration_seconds_bucket{le=\"0.0025\"}") == "1");
  CHECK(house.value("cluster_failures_total") == "5");
  CHECK(house.value("cluster_changes_total") == "6");
  CHECK(house.value("cluster_listings_total") == "7");
  CHECK(house.value("cluster_conflicts_total") == "8");
}
