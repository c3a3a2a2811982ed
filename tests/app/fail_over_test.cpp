#include "app/fail_over.h"

#include <algorithm>

#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "app/evaluate_health.h"
#include "app/listings.h"
#include "app/lone_sidecar.h"
#include "catch.h"

using namespace std::chrono_literals;

namespace {

// A sidecar with gateways probed every two seconds; rooms of a dead gateway fail over after 5 s.
struct Fleet : LoneSidecar {
  std::set<std::string> dead;

  Fleet() {
    configured.options.health.http = true;
    reload(configured);
    rounds(2);
  }
  // Some rounds of probe results and their consequences.
  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      pass(2s);
      observe();
      app::evaluate_health(*registry);
      app::fail_over(*registry);
    }
  }
  void observe() {
    for (const auto& gateway : configured.gateways) {
      app::observe_gateway(*registry, gateway.name, domain::HealthSource::http, dead.count(gateway.name) == 0);
    }
  }
  // Down, and for longer than the wait, but nothing moved yet.
  void kill_without_moving(const std::string& gateway) {
    dead.insert(gateway);
    for (int i = 0; i < 6; ++i) {
      pass(2s);
      observe();
      app::evaluate_health(*registry);
    }
  }
  void kill(const std::string& gateway) {
    kill_without_moving(gateway);
    app::fail_over(*registry);
  }
  std::string on(const std::string& gateway) {
    journal->flush();
    return text("SELECT count(*) FROM room_server_assignments WHERE gateway_name = '" + gateway + "'");
  }
};

const std::string gone = "gxy2";

}  // namespace

TEST_CASE("rooms also leave a dead gateway that is disabled meanwhile") {
  Fleet fleet;
  for (int i = 1; i <= 12; ++i) fleet.ask(std::to_string(i));
  auto disabled = fleet.configured;
  for (auto& gateway : disabled.gateways) gateway.disabled = gateway.name == gone;
  REQUIRE(fleet.reload(disabled).problems.empty());
  CHECK(fleet.ask("2") == gone + " sticky");
  fleet.kill(gone);
  CHECK(fleet.on(gone) == "0");
}

TEST_CASE("a standby of unknown health takes no rooms; one in use goes on while suspect") {
  Fleet fleet;
  auto with = fleet.configured;
  with.options.available_servers = {{"gxy1", "gxy2"}};
  with.options.standby_servers = {"mute", "gxy3"};
  with.gateways.push_back({});
  with.gateways.back().name = "mute";
  REQUIRE(fleet.reload(with).problems.empty());  // it has no probe result: only the other gateways get one
  for (int i = 1; i <= 8; ++i) fleet.ask(std::to_string(i));
  REQUIRE(fleet.on(gone) == "4");
  fleet.kill_without_moving(gone);
  CHECK(fleet.ask("2") == "gxy3 reassigned");
  app::observe_gateway(*fleet.registry, "gxy3", domain::HealthSource::http, false);
  app::evaluate_health(*fleet.registry);
  app::fail_over(*fleet.registry);
  CHECK(fleet.on("gxy3") == "4");
}

TEST_CASE("the rooms of a dead gateway move once, are spread, and are logged once") {
  Fleet fleet;
  for (int i = 1; i <= 12; ++i) fleet.ask(std::to_string(i));
  REQUIRE(fleet.on(gone) == "3");
  fleet.kill(gone);
  CHECK(fleet.on(gone) == "0");
  CHECK(fleet.on("gxy1") == "4");
  CHECK(fleet.on("gxy3") == "4");
  CHECK(fleet.on("gxy4") == "4");
  CHECK(fleet.ask("2") == "gxy3 reassigned");
  CHECK(fleet.ask("2") == "gxy3 sticky");
  CHECK(fleet.ask("1") == "gxy1 sticky");
  SECTION("and stay when the gateway returns") {
    fleet.dead.clear();
    fleet.rounds(40);
    CHECK(fleet.ask("2") == "gxy3 sticky");
    CHECK(fleet.count("failovers") == 0);
    CHECK(fleet.ask("20") == "gxy2 assigned");
  }
}

TEST_CASE("an outage shorter than the wait moves nothing, and neither does unknown health") {
  Fleet fleet;
  fleet.ask("2");
  const std::string before = fleet.row("2");
  fleet.dead.insert(before);
  fleet.rounds(3);
  CHECK(fleet.ask("2") == before + " sticky");
  fleet.dead.clear();
  fleet.rounds(10);
  CHECK(fleet.ask("2") == before + " sticky");
  // The source falls silent after it has called the gateway down, before the wait is over.
  fleet.dead.insert(before);
  fleet.rounds(3);
  REQUIRE(app::list_gateways(*fleet.registry)[0].state == domain::GatewayState::down);
  fleet.pass(4s);
  for (int i = 0; i < 60; ++i) {
    app::list_gateways(*fleet.registry);  // a transaction reads the clock
    fleet.pass(4s);
    app::evaluate_health(*fleet.registry);
    app::fail_over(*fleet.registry);
  }
  CHECK(fleet.ask("2") == before + " sticky");
}

TEST_CASE("nothing moves while all gateways are down; known rooms are answered and new ones placed") {
  Fleet fleet;
  for (int i = 1; i <= 8; ++i) fleet.ask(std::to_string(i));
  fleet.dead = {"gxy1", "gxy2", "gxy3", "gxy4"};
  fleet.rounds(100);
  CHECK(fleet.ask("2") == "gxy2 sticky");
  // Down counts as suspect while the brake holds, since the sidecar itself may be cut off.
  CHECK(fleet.ask("20") == "gxy1 assigned");
  CHECK(fleet.ask("21") == "gxy2 assigned");
  CHECK(fleet.report("22", "a", "gxy4") == "gxy4 1");
  fleet.dead.clear();
  fleet.rounds(100);
  CHECK(fleet.ask("20") == "gxy1 sticky");
}

TEST_CASE("new rooms go first to gateways that are up while the brake holds") {
  Fleet fleet;
  fleet.dead = {"gxy1", "gxy2", "gxy3"};
  fleet.rounds(10);
  for (int i = 1; i <= 5; ++i) CHECK(fleet.ask(std::to_string(i)) == "gxy4 assigned");
}

TEST_CASE("gateways that die one by one set no brake, and new rooms are refused once the last is down") {
  Fleet fleet;
  for (const char* gateway : {"gxy1", "gxy2", "gxy3", "gxy4"}) {
    fleet.dead.insert(gateway);
    fleet.rounds(30);
  }
  CHECK(fleet.ask("20") == "no_gateway_available");
}

TEST_CASE("an evacuated gateway's rooms move to living gateways only while the brake holds") {
  Fleet fleet;
  for (int i = 1; i <= 8; ++i) fleet.ask(std::to_string(i));
  REQUIRE(fleet.row("1") == "gxy1");
  fleet.dead = {"gxy2", "gxy3", "gxy4"};
  fleet.rounds(10);
  REQUIRE(fleet.keeper->set_draining("gxy1", domain::Draining::and_evacuating) == app::CatalogueKeeper::Drained::done);
  fleet.rounds(5);
  CHECK(fleet.ask("1") == "gxy1 sticky");
  fleet.dead = {"gxy2", "gxy3"};
  fleet.rounds(30);
  CHECK(fleet.on("gxy1") == "0");
  CHECK(fleet.ask("5") == "gxy4 reassigned");
}

namespace {

// gxy1 and gxy2 are listed, gxy3 and gxy4 are kept free.
struct WithStandbys : Fleet {
  WithStandbys() {
    configured.options.available_servers = {{"gxy1", "gxy2"}};
    configured.options.standby_servers = {"gxy3", "gxy4"};
    reload(configured);
    rounds(2);
  }
  void die_one_by_one(std::initializer_list<const char*> gateways) {
    for (const char* gateway : gateways) {
      dead.insert(gateway);
      rounds(30);
    }
  }
};

}  // namespace

TEST_CASE("a new room goes to a living standby if no listed gateway lives") {
  WithStandbys fleet;
  CHECK(fleet.ask("1") == "gxy1 assigned");
  SECTION("all listed ones have died at once, and the brake does not hold") {
    fleet.dead = {"gxy1", "gxy2"};
    fleet.rounds(5);
    CHECK(fleet.ask("20") == "gxy3 borrowed");
    CHECK(fleet.ask("21") == "gxy4 borrowed");
    CHECK(fleet.ask("22") == "gxy3 borrowed");
  }
  SECTION("the brake holds, and one standby lives") {
    fleet.dead = {"gxy1", "gxy2", "gxy3"};
    fleet.rounds(5);
    CHECK(fleet.ask("20") == "gxy4 borrowed");
    CHECK(fleet.ask("1") == "gxy1 sticky");
  }
  SECTION("one after the other") {
    fleet.die_one_by_one({"gxy1", "gxy2", "gxy3"});
    CHECK(fleet.ask("20") == "gxy4 borrowed");
    fleet.die_one_by_one({"gxy4"});
    CHECK(fleet.ask("21") == "no_gateway_available");
  }
  SECTION("no listed gateway may take it") {
    for (const char* gateway : {"gxy1", "gxy2"}) fleet.keeper->set_draining(gateway, domain::Draining::yes);
    CHECK(fleet.ask("20") == "gxy3 borrowed");
    fleet.keeper->set_draining("gxy3", domain::Draining::yes);
    CHECK(fleet.ask("21") == "gxy4 borrowed");
  }
  SECTION("not while a listed one lives, be it suspect or full") {
    fleet.dead = {"gxy1"};
    fleet.rounds(5);
    fleet.dead = {"gxy1", "gxy2"};
    fleet.rounds(1);
    CHECK(fleet.ask("20") == "gxy2 assigned");
  }
}

TEST_CASE("suspect gateways come after all others of their step, and before the next step") {
  Fleet fleet;
  fleet.configured.options.regions = {{"IL", {"gxy1", "gxy2"}, ""}, {"US", {"gxy3"}, ""}};
  fleet.reload(fleet.configured);
  fleet.dead = {"gxy1"};
  fleet.rounds(1);
  CHECK(fleet.ask("1", "IL") == "gxy2 assigned");
  CHECK(fleet.ask("2", "IL") == "gxy2 assigned");
  fleet.dead = {"gxy1", "gxy2"};
  fleet.rounds(1);
  CHECK(fleet.ask("3", "IL") == "gxy1 assigned");
  fleet.dead = {"gxy4"};
  fleet.rounds(2);
  CHECK(fleet.ask("4") == "gxy4 assigned");
}

TEST_CASE("a room requested after the wait but before its slice moves at that moment, and once") {
  Fleet fleet;
  for (int i = 1; i <= 8; ++i) fleet.ask(std::to_string(i));
  fleet.kill_without_moving(gone);
  CHECK(fleet.ask("2") == "gxy1 reassigned");
  CHECK(fleet.ask("2") == "gxy1 sticky");
  CHECK(fleet.row("2") == "gxy1");
  app::fail_over(*fleet.registry);
  CHECK(fleet.ask("2") == "gxy1 sticky");
  CHECK(fleet.row("6") == "gxy3");
}

TEST_CASE("simultaneous requests for a room of a dead gateway get one answer while failover runs") {
  Fleet fleet;
  for (int i = 1; i <= 50; ++i) fleet.ask(std::to_string(i));
  fleet.kill_without_moving(gone);
  std::map<int, std::set<std::string>> gateways;
  std::map<int, int> reassigned;
  std::mutex mutex;
  std::vector<std::thread> askers;
  for (int t = 0; t < 8; ++t) {
    askers.emplace_back([&] {
      for (int i = 2; i <= 50; i += 4) {
        const auto answer = app::answer_room(*fleet.registry, domain::RoomId(std::to_string(i)), "");
        const std::lock_guard lock(mutex);
        const auto& found = std::get<app::RoomAnswer>(answer);
        gateways[i].insert(found.gateway);
        reassigned[i] += found.reason == domain::Reason::reassigned;
      }
    });
  }
  app::fail_over(*fleet.registry);
  for (auto& asker : askers) asker.join();
  for (const auto& [room, names] : gateways) {
    CAPTURE(room);
    CHECK(names.size() == 1);
    CHECK(names.count(gone) == 0);
    CHECK(reassigned[room] == 1);
    CHECK(fleet.row(std::to_string(room)) == *names.begin());
  }
}

TEST_CASE("all rooms of a dead gateway go to the first standby that is up and empty") {
  Fleet fleet;
  fleet.configured.options.available_servers = {{"gxy1", "gxy2"}};
  fleet.configured.options.standby_servers = {"gxy3", "gxy4"};
  fleet.reload(fleet.configured);
  for (int i = 1; i <= 8; ++i) fleet.ask(std::to_string(i));
  SECTION("the first") {
    fleet.kill(gone);
    CHECK(fleet.on("gxy3") == "4");
    SECTION("and a second dead gateway gets the next") {
      fleet.kill("gxy1");
      CHECK(fleet.on("gxy4") == "4");
      CHECK(fleet.on("gxy3") == "4");
    }
  }
  SECTION("not one that is in use") {
    fleet.report("20", "a", "gxy3");
    fleet.kill(gone);
    CHECK(fleet.on("gxy4") == "4");
  }
  SECTION("not one that is dead") {
    fleet.dead.insert("gxy3");
    fleet.rounds(30);
    fleet.kill(gone);
    CHECK(fleet.on("gxy4") == "4");
  }
  SECTION("and without a free one each room by the steps") {
    fleet.report("20", "a", "gxy3");
    fleet.report("21", "b", "gxy4");
    fleet.kill(gone);
    CHECK(fleet.on("gxy1") == "8");
  }
  SECTION("the same one after a restart in the middle") {
    fleet.kill_without_moving(gone);
    CHECK(fleet.ask("2") == "gxy3 reassigned");
    fleet.restart();
    CHECK(fleet.ask("4") == "gxy2 sticky");  // nothing is known yet
    fleet.rounds(8);
    CHECK(fleet.on("gxy3") == "4");
    CHECK(fleet.on("gxy4") == "0");
  }
}

TEST_CASE("a pinned room stays on its dead gateway, unless pinned rooms may be moved") {
  Fleet fleet;
  fleet.configured.options.pins.push_back({"2", gone, ""});
  SECTION("stays") {
    fleet.reload(fleet.configured);
    fleet.ask("2");
    fleet.kill(gone);
    CHECK(fleet.ask("2") == "gxy2 pinned");
  }
  SECTION("may be moved, and is pinned again when it is empty and the gateway is back") {
    fleet.configured.options.move_pinned = true;
    fleet.reload(fleet.configured);
    CHECK(fleet.ask("2") == "gxy2 pinned");
    fleet.kill(gone);
    CHECK(fleet.ask("2") == "gxy1 reassigned");
    fleet.report("2", "a");
    fleet.dead.clear();
    fleet.rounds(10);
    CHECK(fleet.ask("2") == "gxy1 sticky");
    app::leave_room(*fleet.registry, "2", "a");
    CHECK(fleet.ask("2") == "gxy2 pinned");
  }
}

TEST_CASE("a gateway is evacuated on an operator's command, also after a restart") {
  LoneSidecar sidecar;
  for (int i = 1; i <= 12; ++i) sidecar.ask(std::to_string(i));
  REQUIRE(sidecar.row("2") == "gxy2");
  CHECK(sidecar.keeper->set_draining("gxy2", domain::Draining::and_evacuating) == app::CatalogueKeeper::Drained::done);
  sidecar.restart();
  app::fail_over(*sidecar.registry);
  CHECK(sidecar.row("2") == "gxy3");
  CHECK(sidecar.ask("2") == "gxy3 reassigned");
  CHECK(sidecar.keeper->set_draining("gxy2", domain::Draining::no) == app::CatalogueKeeper::Drained::done);
  app::fail_over(*sidecar.registry);
  CHECK(sidecar.count("failovers") == 0);
  CHECK(sidecar.ask("20") == "gxy2 assigned");
}

TEST_CASE("rooms stay where they are while nothing can be written, and move afterwards") {
  Fleet fleet;
  for (int i = 1; i <= 8; ++i) fleet.ask(std::to_string(i));
  fleet.kill_without_moving(gone);
  fleet.lock_file();
  app::fail_over(*fleet.registry);
  CHECK(app::find_room(*fleet.registry, "2")->janus == "gxy2");
  fleet.unlock_file();
  fleet.rounds(2);
  CHECK(fleet.row("2") == "gxy1");
}

TEST_CASE("legacy mode moves nothing, whatever is down") {
  Fleet fleet;
  fleet.ask("1");
  fleet.configured.options.scale = false;
  fleet.reload(fleet.configured);
  fleet.kill("gxy1");
  CHECK(fleet.row("1") == "gxy1");
  CHECK(fleet.ask("1") == "gxy1 default");
}

TEST_CASE("no room is placed or adopted on a gateway that is down") {
  Fleet fleet;
  fleet.kill(gone);
  for (int i = 1; i <= 9; ++i) CHECK(fleet.ask(std::to_string(i)).substr(0, 4) != gone);
  CHECK(fleet.report("20", "a", gone) != "gxy2 1");
}
