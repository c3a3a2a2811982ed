#include "app/room_lists.h"

#include <limits>

#include "app/clean_up.h"
#include "app/lone_sidecar.h"
#include "app/release_room.h"
#include "catch.h"

using namespace std::chrono_literals;

namespace {

// A sidecar with gateways that list their rooms every ten seconds.
struct Listening : LoneSidecar {
  std::unique_ptr<app::RoomLists> room_lists;

  Listening() { listen(); }
  void listen() {
    room_lists = std::make_unique<app::RoomLists>(*registry);
    room_lists->follow({"gxy1", "gxy2", "gxy3"}, 10s);
    for (const char* gateway : {"gxy1", "gxy2", "gxy3"}) observe_often(gateway, {});
  }
  // As while the process runs: a jump of the clock would not count.
  void pass(std::chrono::seconds time) {
    for (auto left = time; left > 0s; left -= 2s) {
      LoneSidecar::pass(2s);
      app::Registry::Transaction transaction(*registry);
    }
  }
  void observe(const std::string& gateway, app::RoomLists::List list) {
    room_lists->observe(gateway, std::move(list));
    room_lists->evaluate();
  }
  // As many lists as it takes to count.
  void observe_often(const std::string& gateway, const app::RoomLists::List& list) {
    for (std::int64_t i = 0; i < configured.options.health.fall; ++i) observe(gateway, list);
  }
  // All that follows from time alone.
  void wait(std::chrono::seconds time) {
    pass(time);
    room_lists->evaluate();
    app::clean_up(*registry);
    journal->flush();
  }
};

}  // namespace

TEST_CASE("a room with participants is kept without sessions, and ends when its gateway lists none") {
  Listening sidecar;
  REQUIRE(sidecar.ask("7") == "gxy1 assigned");
  sidecar.observe("gxy1", {{"7", 2}});
  sidecar.wait(1h);
  CHECK(sidecar.row("7") == "gxy1");
  CHECK(app::release_room(*sidecar.registry, "7", false) == app::Released::occupied);
  sidecar.report("7", "s");
  CHECK_FALSE(app::leave_room(*sidecar.registry, "7", "s").assignment_removed);
  SECTION("empty lists end it") {
    sidecar.observe_often("gxy1", {});
    sidecar.journal->flush();
    CHECK(sidecar.row("7").empty());
  }
  SECTION("nobody in it ends it") {
    sidecar.observe_often("gxy1", {{"7", 0}});
    sidecar.journal->flush();
    CHECK(sidecar.row("7").empty());
  }
  SECTION("a session that is in it keeps it") {
    sidecar.report("7", "s");
    sidecar.observe_often("gxy1", {});
    sidecar.wait(1s);
    CHECK(sidecar.row("7") == "gxy1");
  }
  SECTION("somebody on the way keeps it for the grace") {
    sidecar.ask("7");
    sidecar.observe_often("gxy1", {});
    sidecar.wait(1s);
    CHECK(sidecar.row("7") == "gxy1");
    sidecar.wait(3min);
    CHECK(sidecar.row("7").empty());
  }
  SECTION("without the source it is as any other") {
    sidecar.room_lists->follow({}, 10s);
    sidecar.wait(1s);
    CHECK(sidecar.row("7").empty());
  }
}

TEST_CASE("every room of a gateway is kept before the gateway's first list, also after a restart") {
  Listening sidecar;
  REQUIRE(sidecar.ask("7") == "gxy1 assigned");
  REQUIRE(sidecar.ask("8") == "gxy2 assigned");
  sidecar.room_lists.reset();
  sidecar.restart();
  sidecar.room_lists = std::make_unique<app::RoomLists>(*sidecar.registry);
  sidecar.room_lists->follow({"gxy1", "gxy2", "gxy3"}, 10s);
  sidecar.wait(1h);
  CHECK(sidecar.row("7") == "gxy1");
  CHECK(sidecar.row("8") == "gxy2");
  // An unknown occupancy prevents no operator's release.
  CHECK(app::release_room(*sidecar.registry, "8", false) == app::Released::done);
  sidecar.observe("gxy1", {});
  sidecar.wait(1s);
  CHECK(sidecar.row("7") == "gxy1");
  sidecar.observe_often("gxy1", {});
  sidecar.wait(1s);
  CHECK(sidecar.row("7").empty());
}

TEST_CASE("a room ends only after as many lists in a row without participants as `fall`") {
  Listening sidecar;
  REQUIRE(sidecar.ask("7") == "gxy1 assigned");
  const auto fall = GENERATE(1, 2, 3, 5);
  sidecar.configured.options.health.fall = fall;
  REQUIRE(sidecar.reload(sidecar.configured).problems.empty());
  sidecar.observe_often("gxy1", {{"7", 2}, {"8", 1}});
  sidecar.report("7", "s");
  app::leave_room(*sidecar.registry, "7", "s");
  sidecar.wait(1h);
  const app::RoomLists::List empty = GENERATE(app::RoomLists::List{}, app::RoomLists::List{{"7", 0}, {"8", 4}});
  const auto observe = [&](const app::RoomLists::List& list, int times) {
    for (int i = 0; i < times; ++i) {
      sidecar.observe("gxy1", list);
      sidecar.wait(10s);
    }
  };
  // Interrupted, the row begins anew.
  for (int i = 0; i < 3; ++i) {
    observe(empty, fall - 1);
    observe({{"7", 1}}, 1);
  }
  observe(empty, fall - 1);
  CHECK(sidecar.row("7") == "gxy1");
  CHECK(app::release_room(*sidecar.registry, "7", false) == app::Released::occupied);
  observe(empty, 1);
  CHECK(sidecar.row("7").empty());
}

TEST_CASE("each of several lists between two evaluations counts") {
  Listening sidecar;
  REQUIRE(sidecar.ask("7") == "gxy1 assigned");
  sidecar.observe("gxy1", {{"7", 2}});
  sidecar.wait(1h);
  sidecar.room_lists->observe("gxy1", {});
  sidecar.room_lists->observe("gxy1", {});
  sidecar.room_lists->evaluate();
  sidecar.wait(1s);
  CHECK(sidecar.row("7") == "gxy1");
  sidecar.observe("gxy1", {});
  sidecar.wait(1s);
  CHECK(sidecar.row("7").empty());
}

TEST_CASE("a room whose users are on another gateway also outlives one empty list of that gateway") {
  Listening sidecar;
  REQUIRE(sidecar.ask("7") == "gxy1 assigned");
  sidecar.observe("gxy2", {{"7", 2}});
  for (int i = 0; i < 60; ++i) {
    sidecar.wait(10s);
    sidecar.observe("gxy1", {});
    sidecar.observe("gxy2", {{"7", 2}});
  }
  REQUIRE(sidecar.row("7") == "gxy1");
  for (int i = 0; i < 2; ++i) {
    sidecar.observe("gxy2", {});
    sidecar.wait(10s);
  }
  CHECK(sidecar.row("7") == "gxy1");
  sidecar.observe("gxy2", {});
  sidecar.wait(1s);
  CHECK(sidecar.row("7").empty());
}

TEST_CASE("a room that has just left a list is not adopted, and makes no split") {
  Listening sidecar;
  sidecar.observe("gxy3", {{"7", 2}});
  REQUIRE(sidecar.ask("7") == "gxy3 sticky");
  sidecar.observe("gxy3", {});
  REQUIRE(app::release_room(*sidecar.registry, "7", true) == app::Released::done);
  sidecar.observe("gxy3", {});
  CHECK(sidecar.ask("7") == "gxy1 assigned");
  CHECK(sidecar.splits().empty());
}

TEST_CASE("a silent gateway's last list holds for its own rooms only") {
  Listening sidecar;
  REQUIRE(sidecar.ask("7") == "gxy1 assigned");
  sidecar.observe("gxy1", {{"7", 2}});
  sidecar.observe("gxy2", {{"7", 1}});
  sidecar.wait(1h);
  CHECK(sidecar.row("7") == "gxy1");
  // It is released, and placed on another gateway. The old lists of gxy1 and gxy2 are no reason to keep it there.
  REQUIRE(app::release_room(*sidecar.registry, "7", true) == app::Released::done);
  REQUIRE(sidecar.ask("8") == "gxy1 assigned");
  REQUIRE(sidecar.ask("9") == "gxy2 assigned");
  REQUIRE(sidecar.ask("7") == "gxy3 assigned");
  sidecar.wait(1h);
  CHECK(sidecar.row("7").empty());
}

TEST_CASE("a room with participants but no assignment is adopted where most of them are") {
  Listening sidecar;
  SECTION("at once, durably") {
    sidecar.observe("gxy3", {{"7", 2}});
    CHECK(sidecar.ask("7") == "gxy3 sticky");
    CHECK(sidecar.row("7") == "gxy3");
  }
  SECTION("where most are") {
    sidecar.room_lists->observe("gxy1", {{"7", 1}});
    sidecar.room_lists->observe("gxy2", {{"7", 5}});
    sidecar.room_lists->evaluate();
    CHECK(sidecar.ask("7") == "gxy2 sticky");
  }
  SECTION("not if it is no room of ours, or nobody is there") {
    sidecar.observe("gxy3", {{"unknown", 2}, {"7", 0}});
    CHECK(sidecar.count("room_server_assignments") == 0);
  }
  SECTION("not under a name that no request could use") {
    auto open = sidecar.configured;
    open.options.unknown_rooms = domain::UnknownRooms::accept;
    REQUIRE(sidecar.reload(open).problems.empty());
    sidecar.observe("gxy3", {{"", 2}, {domain::RoomId(std::string(300, 'a')), 1}, {"a\nb", 1}, {"new", 1}});
    sidecar.journal->flush();
    CHECK(sidecar.text("SELECT group_concat(room_id) FROM room_server_assignments") == "new");
  }
  SECTION("not against an operator's drain") {
    sidecar.observe("gxy3", {{"7", 2}});
    REQUIRE(app::release_room(*sidecar.registry, "7", true) == app::Released::done);
    sidecar.observe("gxy3", {{"7", 2}});
    CHECK(sidecar.ask("7") == "gxy1 assigned");
  }
  SECTION("not in legacy mode") {
    auto legacy = sidecar.configured;
    legacy.options.scale = false;
    sidecar.reload(legacy);
    sidecar.observe("gxy3", {{"7", 2}});
    sidecar.journal->flush();
    CHECK(sidecar.count("room_server_assignments") == 0);
  }
  SECTION("not elsewhere than its pin says") {
    auto pinned = sidecar.configured;
    pinned.options.pins = {{"7", "gxy2", ""}};
    REQUIRE(sidecar.reload(pinned).problems.empty());
    sidecar.observe("gxy3", {{"7", 2}});
    CHECK(sidecar.ask("7") == "gxy2 pinned");
  }
}

TEST_CASE("a room is split once two gateways have listed it twice, until one of them is empty") {
  Listening sidecar;
  sidecar.ask("7");
  sidecar.observe("gxy1", {{"7", 3}});
  sidecar.pass(5s);
  sidecar.observe("gxy2", {{"7", 1}});
  CHECK(sidecar.splits().empty());
  sidecar.pass(5s);
  sidecar.observe("gxy1", {{"7", 3}});
  CHECK(sidecar.splits().empty());
  sidecar.pass(5s);
  sidecar.observe("gxy2", {{"7", 1}});
  CHECK(sidecar.splits() == "7@gxy1 gxy1:3 gxy2:1");
  SECTION("healed") {
    sidecar.observe("gxy2", {});
    CHECK(sidecar.splits().empty());
  }
  SECTION("all of them elsewhere is still split") {
    sidecar.observe("gxy1", {});
    CHECK(sidecar.splits() == "7@gxy1 gxy2:1");
  }
  SECTION("a gateway that falls silent heals nothing") {
    sidecar.pass(1min);
    sidecar.observe("gxy1", {{"7", 3}});
    CHECK(sidecar.splits() == "7@gxy1 gxy1:3 gxy2:1");
    sidecar.observe("gxy2", {});
    CHECK(sidecar.splits().empty());
  }
  SECTION("without the source nothing is known") {
    sidecar.room_lists->follow({}, 10s);
    sidecar.room_lists->evaluate();
    CHECK(sidecar.splits().empty());
  }
}

TEST_CASE("a room on another gateway than its default is split in legacy mode") {
  Listening sidecar;
  auto legacy = sidecar.configured;
  legacy.options.scale = false;
  sidecar.reload(legacy);
  for (int i = 0; i < 2; ++i) {
    sidecar.pass(10s);
    sidecar.observe("gxy2", {{"7", 1}, {"nobody's", 4}});
    sidecar.observe("gxy1", {{"8", 1}});
  }
  CHECK(sidecar.splits() == "7@gxy1 gxy2:1");
}

TEST_CASE("a gateway's list is adopted only up to the gateway's capacity, however long it is") {
  Listening sidecar;
  app::Configured accepting = sidecar.configured;
  accepting.options.unknown_rooms = domain::UnknownRooms::accept;
  accepting.gateways[0].capacity = 100;
  REQUIRE(sidecar.reload(accepting).problems.empty());
  app::RoomLists::List list;
  for (int i = 0; i < 1000; ++i) list.emplace("made up " + std::to_string(i), 2);
  sidecar.observe("gxy1", list);
  CHECK(sidecar.count("room_server_assignments") == 50);
  CHECK(sidecar.ask(list.begin()->first.text()) == "gxy1 sticky");
  SECTION("rooms that are there already count") {
    app::RoomLists::List more = list;
    for (int i = 0; i < 10; ++i) more.emplace("zz " + std::to_string(i), 2);
    sidecar.observe("gxy1", more);
    CHECK(sidecar.count("room_server_assignments") == 50);
  }
  SECTION("numbers that no gateway has add up to no less") {
    sidecar.observe("gxy2",
                    {{"a", std::numeric_limits<std::int64_t>::max()}, {"b", std::numeric_limits<std::int64_t>::max()}});
    CHECK(sidecar.row("a").empty());
    CHECK(sidecar.row("b").empty());
  }
}
