// balancing.load = "sessions": a room with more users than the average counts with its users, however they come and go.
// Every place that reports the load reports the same.
#include <map>
#include <string>

#include "app/clean_up.h"
#include "app/evaluate_health.h"
#include "app/fail_over.h"
#include "app/listings.h"
#include "app/lone_sidecar.h"
#include "app/release_room.h"
#include "app/report_snapshot.h"
#include "catch.h"

using namespace std::chrono_literals;

namespace {

// Four gateways, 10 users a room. Room "1" is on gxy1, "2" on gxy2, and so on round.
struct ExcessUsers : LoneSidecar {
  ExcessUsers() {
    count(domain::LoadBy::sessions);
    for (int i = 1; i <= 4; ++i) ask(std::to_string(i));
  }
  void count(domain::LoadBy by) {
    configured.options.load_by = by;
    REQUIRE(reload(configured).problems.empty());
  }
  void enter(const std::string& room, int from, int to) {
    for (int i = from; i <= to; ++i) report(room, "s" + std::to_string(i));
  }
  // Loads of the four gateways, as listed; the same as explained, and as recounted from the rooms.
  std::string loads() {
    std::map<std::string, std::int64_t> listed, explained, recounted;
    std::string text;
    for (const auto& gateway : app::list_gateways(*registry)) {
      listed[gateway.name] = gateway.load;
      recounted[gateway.name] = 0;
      text += (text.empty() ? "" : " ") + std::to_string(gateway.load);
    }
    // For an unplaced room: then every gateway gets a verdict.
    for (const auto& verdict : app::explain_room(*registry, "50", "").candidates)
      explained[verdict.name] = verdict.load;
    const std::int64_t average = configured.options.avg_room_occupancy;
    const bool by_sessions = configured.options.load_by == domain::LoadBy::sessions;
    for (const auto& row : app::list_assignments(*registry, "", 1000, std::nullopt).items) {
      const auto users = by_sessions ? static_cast<std::int64_t>(row.users) : 0;
      recounted[row.assignment.gateway_name] += std::max(average, users);
    }
    CHECK(listed == recounted);
    if (configured.options.scale) CHECK(listed == explained);
    return text;
  }
};

}  // namespace

TEST_CASE("a room counts for the larger of the average and its users now") {
  ExcessUsers sidecar;
  CHECK(sidecar.loads() == "10 10 10 10");
  sidecar.enter("1", 1, 10);
  CHECK(sidecar.loads() == "10 10 10 10");
  sidecar.enter("1", 11, 30);
  CHECK(sidecar.loads() == "30 10 10 10");
  SECTION("and new rooms go elsewhere") {
    for (int i = 5; i <= 10; ++i) CHECK(sidecar.ask(std::to_string(i)).substr(0, 4) != "gxy1");
    CHECK(sidecar.ask("11") == "gxy1 assigned");
  }
  SECTION("users leave") {
    for (int i = 1; i <= 5; ++i) app::leave_room(*sidecar.registry, "1", "s" + std::to_string(i));
    CHECK(sidecar.loads() == "25 10 10 10");
  }
  SECTION("users move to another room") {
    sidecar.enter("2", 1, 25);
    CHECK(sidecar.loads() == "10 25 10 10");
  }
  SECTION("users fall silent") {
    for (int i = 0; i < 31; ++i) {
      sidecar.pass(3s);
      sidecar.enter("1", 1, 15);
    }
    CHECK(sidecar.loads() == "15 10 10 10");
    app::clean_up(*sidecar.registry);
    CHECK(sidecar.loads() == "15 10 10 10");
  }
  SECTION("a snapshot lists the remaining users") {
    sidecar.pass(1ms);
    app::report_snapshot(*sidecar.registry, {{"1", "s1", {}}, {"3", "s2", {}}}, 0ms);
    CHECK(sidecar.loads() == "10 10 10 10");
  }
  SECTION("the room is released") {
    CHECK(app::release_room(*sidecar.registry, "1", true) == app::Released::done);
    CHECK(sidecar.loads() == "0 10 10 10");
  }
  SECTION("after a restart") {
    sidecar.restart();
    CHECK(sidecar.loads() == "30 10 10 10");
    sidecar.enter("1", 31, 31);
    CHECK(sidecar.loads() == "31 10 10 10");
  }
  SECTION("an assignment that cannot be written counts no more") {
    sidecar.enter("2", 31, 50);
    sidecar.lock_file();
    CHECK(sidecar.ask("9") == "storage_unavailable");
    sidecar.let_claims_end();
    sidecar.unlock_file();
    CHECK(sidecar.loads() == "30 20 10 10");
  }
}

TEST_CASE("a reload switches load_by and switches it back under live rooms") {
  ExcessUsers sidecar;
  sidecar.count(domain::LoadBy::rooms);
  sidecar.enter("1", 1, 30);
  CHECK(sidecar.loads() == "10 10 10 10");
  sidecar.count(domain::LoadBy::sessions);
  CHECK(sidecar.loads() == "30 10 10 10");
  sidecar.configured.options.avg_room_occupancy = 20;
  sidecar.count(domain::LoadBy::sessions);
  CHECK(sidecar.loads() == "30 20 20 20");
  sidecar.enter("1", 31, 35);
  sidecar.count(domain::LoadBy::rooms);
  CHECK(sidecar.loads() == "20 20 20 20");
  sidecar.count(domain::LoadBy::sessions);
  CHECK(sidecar.loads() == "35 20 20 20");
}

TEST_CASE("a mode flipped under live rooms and back leaves the loads correct") {
  ExcessUsers sidecar;
  sidecar.enter("1", 1, 30);
  sidecar.configured.options.scale = false;
  sidecar.count(domain::LoadBy::sessions);
  sidecar.enter("2", 31, 55);
  CHECK(sidecar.loads() == "30 25 10 10");
  sidecar.configured.options.scale = true;
  sidecar.count(domain::LoadBy::sessions);
  CHECK(sidecar.loads() == "55 0 10 10");  // all sessions without a reported gateway are on the default gateway
}

TEST_CASE("users count on the new gateway as soon as their room moves off a dead one") {
  ExcessUsers sidecar;
  sidecar.configured.options.health.http = true;
  sidecar.count(domain::LoadBy::sessions);
  sidecar.enter("2", 1, 30);
  sidecar.enter("1", 31, 55);
  sidecar.ask("5");  // gxy3, the first of the least loaded
  for (int i = 0; i < 8; ++i) {
    sidecar.pass(2s);
    for (const auto& gateway : sidecar.configured.gateways) {
      const bool alive = gateway.name != "gxy2" || i < 2;
      app::observe_gateway(*sidecar.registry, gateway.name, domain::HealthSource::http, alive);
    }
    app::evaluate_health(*sidecar.registry);
    sidecar.enter("2", 1, 30);
  }
  app::fail_over(*sidecar.registry);
  CHECK(sidecar.row("2") == "gxy4");
  CHECK(sidecar.loads() == "25 0 20 40");
  CHECK(sidecar.ask("6") == "gxy3 assigned");
}
