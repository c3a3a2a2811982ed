// balancing.load = "sessions": a room counts for its users where they are more than the average, in whatever
// way they come and go; and all who tell the load tell the same.
#include <map>
#include <string>

#include "app/clean_up.h"
#include "app/fail_over.h"
#include "app/house.h"
#include "app/judge_health.h"
#include "app/listings.h"
#include "app/release_room.h"
#include "app/report_snapshot.h"
#include "catch.h"

using namespace std::chrono_literals;

namespace {

// Four gateways, 10 users a room. Room "1" is on gxy1, "2" on gxy2, and so on round.
struct Crowd : House {
  Crowd() {
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
    for (const auto& gateway : app::list_gateways(*desk)) {
      listed[gateway.name] = gateway.load;
      recounted[gateway.name] = 0;
      text += (text.empty() ? "" : " ") + std::to_string(gateway.load);
    }
    // For a room that is not placed: then all are looked at.
    for (const auto& verdict : app::explain_room(*desk, "50", "").candidates) explained[verdict.name] = verdict.load;
    const std::int64_t average = configured.options.avg_room_occupancy;
    const bool by_sessions = configured.options.load_by == domain::LoadBy::sessions;
    for (const auto& row : app::list_assignments(*desk, "", 1000, std::nullopt).items) {
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
  Crowd house;
  CHECK(house.loads() == "10 10 10 10");
  house.enter("1", 1, 10);
  CHECK(house.loads() == "10 10 10 10");
  house.enter("1", 11, 30);
  CHECK(house.loads() == "30 10 10 10");
  SECTION("and new rooms go elsewhere") {
    for (int i = 5; i <= 10; ++i) CHECK(house.ask(std::to_string(i)).substr(0, 4) != "gxy1");
    CHECK(house.ask("11") == "gxy1 assigned");
  }
  SECTION("users leave") {
    for (int i = 1; i <= 5; ++i) app::leave_room(*house.desk, "1", "s" + std::to_string(i));
    CHECK(house.loads() == "25 10 10 10");
  }
  SECTION("users move to another room") {
    house.enter("2", 1, 25);
    CHECK(house.loads() == "10 25 10 10");
  }
  SECTION("users fall silent") {
    for (int i = 0; i < 31; ++i) {
      house.pass(3s);
      house.enter("1", 1, 15);
    }
    CHECK(house.loads() == "15 10 10 10");
    app::clean_up(*house.desk);
    CHECK(house.loads() == "15 10 10 10");
  }
  SECTION("a snapshot says who is left") {
    house.pass(1ms);
    app::report_snapshot(*house.desk, {{"1", "s1", {}}, {"3", "s2", {}}}, 0ms);
    CHECK(house.loads() == "10 10 10 10");
  }
  SECTION("the room is released") {
    CHECK(app::release_room(*house.desk, "1", true) == app::Released::done);
    CHECK(house.loads() == "0 10 10 10");
  }
  SECTION("after a restart") {
    house.restart();
    CHECK(house.loads() == "30 10 10 10");
    house.enter("1", 31, 31);
    CHECK(house.loads() == "31 10 10 10");
  }
  SECTION("an assignment that cannot be written counts no more") {
    house.enter("2", 31, 50);
    house.lock_file();
    CHECK(house.ask("9") == "storage_unavailable");
    house.let_claims_end();
    house.unlock_file();
    CHECK(house.loads() == "30 20 10 10");
  }
}

TEST_CASE("a reload takes the way of counting up, and takes it back, under live rooms") {
  Crowd house;
  house.count(domain::LoadBy::rooms);
  house.enter("1", 1, 30);
  CHECK(house.loads() == "10 10 10 10");
  house.count(domain::LoadBy::sessions);
  CHECK(house.loads() == "30 10 10 10");
  house.configured.options.avg_room_occupancy = 20;
  house.count(domain::LoadBy::sessions);
  CHECK(house.loads() == "30 20 20 20");
  house.enter("1", 31, 35);
  house.count(domain::LoadBy::rooms);
  CHECK(house.loads() == "20 20 20 20");
  house.count(domain::LoadBy::sessions);
  CHECK(house.loads() == "35 20 20 20");
}

TEST_CASE("a mode flipped under live rooms and back leaves the loads a recount") {
  Crowd house;
  house.enter("1", 1, 30);
  house.configured.options.scale = false;
  house.count(domain::LoadBy::sessions);
  house.enter("2", 31, 55);
  CHECK(house.loads() == "30 25 10 10");
  house.configured.options.scale = true;
  house.count(domain::LoadBy::sessions);
  CHECK(house.loads() == "55 0 10 10");  // all who said nothing else are on the default gateway
}

TEST_CASE("users go with their rooms when a gateway dies, and the next room sees them there") {
  Crowd house;
  house.configured.options.health.http = true;
  house.count(domain::LoadBy::sessions);
  house.enter("2", 1, 30);
  house.enter("1", 31, 55);
  house.ask("5");  // gxy3, the first of the least loaded
  for (int i = 0; i < 8; ++i) {
    house.pass(2s);
    for (const auto& gateway : house.configured.gateways) {
      const bool alive = gateway.name != "gxy2" || i < 2;
      app::hear_of_gateway(*house.desk, gateway.name, domain::HealthSource::http, alive);
    }
    app::judge_health(*house.desk);
    house.enter("2", 1, 30);
  }
  app::fail_over(*house.desk);
  CHECK(house.row("2") == "gxy4");
  CHECK(house.loads() == "25 0 20 40");
  CHECK(house.ask("6") == "gxy3 assigned");
}
