#include "app/rooms_heard.h"

#include <limits>

#include "app/clean_up.h"
#include "app/house.h"
#include "app/listings.h"
#include "app/release_room.h"
#include "catch.h"

using namespace std::chrono_literals;

namespace {

// A house whose gateways list their rooms every ten seconds.
struct Listening : House {
  std::unique_ptr<app::RoomsHeard> heard;

  Listening() { listen(); }
  void listen() {
    heard = std::make_unique<app::RoomsHeard>(*desk);
    heard->follow({"gxy1", "gxy2", "gxy3"}, 10s);
    for (const char* gateway : {"gxy1", "gxy2", "gxy3"}) hear_often(gateway, {});
  }
  // As while the process runs: a jump of the clock would not count.
  void pass(std::chrono::seconds time) {
    for (auto left = time; left > 0s; left -= 2s) {
      House::pass(2s);
      app::Desk::Turn turn(*desk);
    }
  }
  void hear(const std::string& gateway, app::RoomsHeard::List list) {
    heard->hear(gateway, std::move(list));
    heard->conclude();
  }
  // As many lists as it takes to be believed.
  void hear_often(const std::string& gateway, const app::RoomsHeard::List& list) {
    for (std::int64_t i = 0; i < configured.options.health.fall; ++i) hear(gateway, list);
  }
  // All that follows from time alone.
  void wait(std::chrono::seconds time) {
    pass(time);
    heard->conclude();
    app::clean_up(*desk);
    journal->flush();
  }
  std::string splits() {
    std::string text;
    for (const auto& split : app::list_splits(*desk)) {
      text += split.room + "@" + split.janus.value_or("-");
      for (const auto& part : split.parts) text += " " + part.gateway + ":" + std::to_string(part.participants);
    }
    return text;
  }
};

}  // namespace

TEST_CASE("a room with participants is kept though no session is in it, and ended when its gateway says so") {
  Listening house;
  REQUIRE(house.ask("7") == "gxy1 assigned");
  house.hear("gxy1", {{"7", 2}});
  house.wait(1h);
  CHECK(house.row("7") == "gxy1");
  CHECK(app::release_room(*house.desk, "7", false) == app::Released::occupied);
  house.report("7", "s");
  CHECK_FALSE(app::leave_room(*house.desk, "7", "s").assignment_removed);
  SECTION("empty lists end it") {
    house.hear_often("gxy1", {});
    house.journal->flush();
    CHECK(house.row("7").empty());
  }
  SECTION("nobody in it ends it") {
    house.hear_often("gxy1", {{"7", 0}});
    house.journal->flush();
    CHECK(house.row("7").empty());
  }
  SECTION("a session that is in it keeps it") {
    house.report("7", "s");
    house.hear_often("gxy1", {});
    house.wait(1s);
    CHECK(house.row("7") == "gxy1");
  }
  SECTION("somebody on the way keeps it for the grace") {
    house.ask("7");
    house.hear_often("gxy1", {});
    house.wait(1s);
    CHECK(house.row("7") == "gxy1");
    house.wait(3min);
    CHECK(house.row("7").empty());
  }
  SECTION("without the source it is as any other") {
    house.heard->follow({}, 10s);
    house.wait(1s);
    CHECK(house.row("7").empty());
  }
}

TEST_CASE("before its first list any room of a gateway may be in use, also after a restart") {
  Listening house;
  REQUIRE(house.ask("7") == "gxy1 assigned");
  REQUIRE(house.ask("8") == "gxy2 assigned");
  house.heard.reset();
  house.restart();
  house.heard = std::make_unique<app::RoomsHeard>(*house.desk);
  house.heard->follow({"gxy1", "gxy2", "gxy3"}, 10s);
  house.wait(1h);
  CHECK(house.row("7") == "gxy1");
  CHECK(house.row("8") == "gxy2");
  // What is merely not known keeps no operator from releasing it.
  CHECK(app::release_room(*house.desk, "8", false) == app::Released::done);
  house.hear("gxy1", {});
  house.wait(1s);
  CHECK(house.row("7") == "gxy1");
  house.hear_often("gxy1", {});
  house.wait(1s);
  CHECK(house.row("7").empty());
}

TEST_CASE("a room ends only after as many lists in a row without participants as `fall`") {
  Listening house;
  REQUIRE(house.ask("7") == "gxy1 assigned");
  const auto fall = GENERATE(1, 2, 3, 5);
  house.configured.options.health.fall = fall;
  REQUIRE(house.reload(house.configured).problems.empty());
  house.hear_often("gxy1", {{"7", 2}, {"8", 1}});
  house.report("7", "s");
  app::leave_room(*house.desk, "7", "s");
  house.wait(1h);
  const app::RoomsHeard::List empty = GENERATE(app::RoomsHeard::List{}, app::RoomsHeard::List{{"7", 0}, {"8", 4}});
  const auto hear = [&](const app::RoomsHeard::List& list, int times) {
    for (int i = 0; i < times; ++i) {
      house.hear("gxy1", list);
      house.wait(10s);
    }
  };
  // Interrupted, the row begins anew.
  for (int i = 0; i < 3; ++i) {
    hear(empty, fall - 1);
    hear({{"7", 1}}, 1);
  }
  hear(empty, fall - 1);
  CHECK(house.row("7") == "gxy1");
  CHECK(app::release_room(*house.desk, "7", false) == app::Released::occupied);
  hear(empty, 1);
  CHECK(house.row("7").empty());
}

TEST_CASE("several lists between two conclusions each count") {
  Listening house;
  REQUIRE(house.ask("7") == "gxy1 assigned");
  house.hear("gxy1", {{"7", 2}});
  house.wait(1h);
  house.heard->hear("gxy1", {});
  house.heard->hear("gxy1", {});
  house.heard->conclude();
  house.wait(1s);
  CHECK(house.row("7") == "gxy1");
  house.hear("gxy1", {});
  house.wait(1s);
  CHECK(house.row("7").empty());
}

TEST_CASE("a room whose users are on another gateway outlives one empty list of that one, too") {
  Listening house;
  REQUIRE(house.ask("7") == "gxy1 assigned");
  house.hear("gxy2", {{"7", 2}});
  for (int i = 0; i < 60; ++i) {
    house.wait(10s);
    house.hear("gxy1", {});
    house.hear("gxy2", {{"7", 2}});
  }
  REQUIRE(house.row("7") == "gxy1");
  for (int i = 0; i < 2; ++i) {
    house.hear("gxy2", {});
    house.wait(10s);
  }
  CHECK(house.row("7") == "gxy1");
  house.hear("gxy2", {});
  house.wait(1s);
  CHECK(house.row("7").empty());
}

TEST_CASE("who has just left a list is not adopted, and makes no split") {
  Listening house;
  house.hear("gxy3", {{"7", 2}});
  REQUIRE(house.ask("7") == "gxy3 sticky");
  house.hear("gxy3", {});
  REQUIRE(app::release_room(*house.desk, "7", true) == app::Released::done);
  house.hear("gxy3", {});
  CHECK(house.ask("7") == "gxy1 assigned");
  CHECK(house.splits().empty());
}

TEST_CASE("a silent gateway's last word holds for its own rooms only") {
  Listening house;
  REQUIRE(house.ask("7") == "gxy1 assigned");
  house.hear("gxy1", {{"7", 2}});
  house.hear("gxy2", {{"7", 1}});
  house.wait(1h);
  CHECK(house.row("7") == "gxy1");
  // It is released, and placed elsewhere; who once was on gxy1 and gxy2 is no reason to keep it there.
  REQUIRE(app::release_room(*house.desk, "7", true) == app::Released::done);
  REQUIRE(house.ask("8") == "gxy1 assigned");
  REQUIRE(house.ask("9") == "gxy2 assigned");
  REQUIRE(house.ask("7") == "gxy3 assigned");
  house.wait(1h);
  CHECK(house.row("7").empty());
}

TEST_CASE("a room with participants and without an assignment is adopted where most of them are") {
  Listening house;
  SECTION("at once, durably") {
    house.hear("gxy3", {{"7", 2}});
    CHECK(house.ask("7") == "gxy3 sticky");
    CHECK(house.row("7") == "gxy3");
  }
  SECTION("where most are") {
    house.heard->hear("gxy1", {{"7", 1}});
    house.heard->hear("gxy2", {{"7", 5}});
    house.heard->conclude();
    CHECK(house.ask("7") == "gxy2 sticky");
  }
  SECTION("not if it is no room of ours, or nobody is there") {
    house.hear("gxy3", {{"unknown", 2}, {"7", 0}});
    CHECK(house.count("room_server_assignments") == 0);
  }
  SECTION("not under a name that no request could use") {
    auto open = house.configured;
    open.options.unknown_rooms = domain::UnknownRooms::accept;
    REQUIRE(house.reload(open).problems.empty());
    house.hear("gxy3", {{"", 2}, {std::string(300, 'a'), 1}, {"a\nb", 1}, {"new", 1}});
    house.journal->flush();
    CHECK(house.text("SELECT group_concat(room_id) FROM room_server_assignments") == "new");
  }
  SECTION("not against an operator's word") {
    house.hear("gxy3", {{"7", 2}});
    REQUIRE(app::release_room(*house.desk, "7", true) == app::Released::done);
    house.hear("gxy3", {{"7", 2}});
    CHECK(house.ask("7") == "gxy1 assigned");
  }
  SECTION("not in legacy mode") {
    auto legacy = house.configured;
    legacy.options.scale = false;
    house.reload(legacy);
    house.hear("gxy3", {{"7", 2}});
    house.journal->flush();
    CHECK(house.count("room_server_assignments") == 0);
  }
  SECTION("not elsewhere than its pin says") {
    auto pinned = house.configured;
    pinned.options.pins = {{"7", "gxy2", ""}};
    REQUIRE(house.reload(pinned).problems.empty());
    house.hear("gxy3", {{"7", 2}});
    CHECK(house.ask("7") == "gxy2 pinned");
  }
}

TEST_CASE("a room on two gateways is split once both have said so twice, until one of them is empty") {
  Listening house;
  house.ask("7");
  house.hear("gxy1", {{"7", 3}});
  house.pass(5s);
  house.hear("gxy2", {{"7", 1}});
  CHECK(house.splits().empty());
  house.pass(5s);
  house.hear("gxy1", {{"7", 3}});
  CHECK(house.splits().empty());
  house.pass(5s);
  house.hear("gxy2", {{"7", 1}});
  CHECK(house.splits() == "7@gxy1 gxy1:3 gxy2:1");
  SECTION("healed") {
    house.hear("gxy2", {});
    CHECK(house.splits().empty());
  }
  SECTION("all of them elsewhere is still split") {
    house.hear("gxy1", {});
    CHECK(house.splits() == "7@gxy1 gxy2:1");
  }
  SECTION("a gateway that falls silent heals nothing") {
    house.pass(1min);
    house.hear("gxy1", {{"7", 3}});
    CHECK(house.splits() == "7@gxy1 gxy1:3 gxy2:1");
    house.hear("gxy2", {});
    CHECK(house.splits().empty());
  }
  SECTION("without the source nothing is known") {
    house.heard->follow({}, 10s);
    house.heard->conclude();
    CHECK(house.splits().empty());
  }
}

TEST_CASE("in legacy mode a room elsewhere than its default gateway is split") {
  Listening house;
  auto legacy = house.configured;
  legacy.options.scale = false;
  house.reload(legacy);
  for (int i = 0; i < 2; ++i) {
    house.pass(10s);
    house.hear("gxy2", {{"7", 1}, {"nobody's", 4}});
    house.hear("gxy1", {{"8", 1}});
  }
  CHECK(house.splits() == "7@gxy1 gxy2:1");
}

TEST_CASE("a gateway's list is adopted within its capacity only, however long it is") {
  Listening house;
  app::Configured accepting = house.configured;
  accepting.options.unknown_rooms = domain::UnknownRooms::accept;
  accepting.gateways[0].capacity = 100;
  REQUIRE(house.reload(accepting).problems.empty());
  app::RoomsHeard::List list;
  for (int i = 0; i < 1000; ++i) list.emplace("made up " + std::to_string(i), 2);
  house.hear("gxy1", list);
  CHECK(house.count("room_server_assignments") == 50);
  CHECK(house.ask(list.begin()->first) == "gxy1 sticky");
  SECTION("rooms that are there already count") {
    app::RoomsHeard::List more = list;
    for (int i = 0; i < 10; ++i) more.emplace("zz " + std::to_string(i), 2);
    house.hear("gxy1", more);
    CHECK(house.count("room_server_assignments") == 50);
  }
  SECTION("numbers that no gateway has add up to no less") {
    house.hear("gxy2",
               {{"a", std::numeric_limits<std::int64_t>::max()}, {"b", std::numeric_limits<std::int64_t>::max()}});
    CHECK(house.row("a").empty());
    CHECK(house.row("b").empty());
  }
}
