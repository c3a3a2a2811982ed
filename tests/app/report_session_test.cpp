#include "app/report_session.h"

#include "app/clean_up.h"
#include "app/house.h"
#include "app/listings.h"
#include "app/release_room.h"
#include "app/report_snapshot.h"
#include "app/splits.h"
#include "catch.h"

using namespace std::chrono_literals;

TEST_CASE("entering, staying and leaving") {
  House house;
  CHECK(house.ask("1") == "gxy1 assigned");
  CHECK(house.report("1", "a") == "gxy1 1");
  CHECK(house.report("1", "a") == "gxy1 1");
  CHECK(house.report("1", "b") == "gxy1 2");
  CHECK(house.count("sessions") == 2);
  auto left = app::leave_room(*house.desk, "1", "a");
  CHECK(left.users == 1);
  CHECK_FALSE(left.assignment_removed);
  left = app::leave_room(*house.desk, "1", "b");
  CHECK(left.users == 0);
  CHECK(left.assignment_removed);
  CHECK(house.row("1").empty());
  CHECK(house.count("sessions") == 0);
}

TEST_CASE("leaving an unknown room, as an unknown session, or from another room changes nothing") {
  House house;
  house.report("1", "a");
  for (const auto& [room, session] : {std::pair{"2", "a"}, std::pair{"1", "x"}, std::pair{"nowhere", "a"}}) {
    CHECK_FALSE(app::leave_room(*house.desk, room, session).assignment_removed);
  }
  CHECK(house.report("1", "a") == "gxy1 1");
}

TEST_CASE("a move enters the new room and ends the old one's assignment") {
  House house;
  house.report("1", "a");
  CHECK(house.report("2", "a") == "gxy2 1");
  CHECK(house.row("1").empty());
  CHECK(house.row("2") == "gxy2");
}

TEST_CASE("a keepalive places a room without assignment where its user is") {
  House house;
  CHECK(house.report("1", "a", "gxy4") == "gxy4 1");
  CHECK(house.row("1") == "gxy4");
  CHECK(house.ask("1") == "gxy4 sticky");
  CHECK(house.report("1", "b", "gxy2") == "gxy4 2");  // an existing assignment stands
}

TEST_CASE("a refused report changes nothing") {
  House house;
  house.report("1", "a");
  CHECK(house.report("nowhere", "a") == "room_not_found");
  house.lock_file();
  CHECK(house.report("2", "a") == "storage_unavailable");
  house.let_claims_end();
  house.unlock_file();
  CHECK(house.report("1", "b") == "gxy1 2");  // a is still there
  CHECK(house.row("2").empty());
}

TEST_CASE("somebody on the way keeps the room until join_grace after the answer") {
  House house;
  house.report("1", "a");
  house.ask("1");
  CHECK_FALSE(app::leave_room(*house.desk, "1", "a").assignment_removed);
  CHECK(house.row("1") == "gxy1");
}

TEST_CASE("an operator's release is in the file when it is answered, and a refused one changes nothing") {
  House house;
  house.report("1", "a");
  CHECK(app::release_room(*house.desk, "2", false) == app::Released::no_assignment);
  CHECK(app::release_room(*house.desk, "1", false) == app::Released::occupied);
  house.lock_file();
  CHECK(app::release_room(*house.desk, "1", true) == app::Released::storage_unavailable);
  house.unlock_file();
  CHECK(house.report("1", "a") == "gxy1 1");
  CHECK(app::release_room(*house.desk, "1", true) == app::Released::done);
  CHECK(house.row("1").empty());
  // Its users are still there, and must not carry it back.
  CHECK(house.report("1", "a", "gxy4") == "gxy1 1");
}

TEST_CASE("a refused release does not touch the file, not even for a moment") {
  House house;
  house.report("1", "a");
  house.was_written();
  CHECK(app::release_room(*house.desk, "1", false) == app::Released::occupied);
  CHECK_FALSE(house.was_written());
}

TEST_CASE("above sessions.max new sessions are refused, and known ones go on") {
  House house;
  app::Configured few = house.configured;
  few.options.max_sessions = 2;
  few.options.scale = GENERATE(true, false);
  REQUIRE(house.reload(few).problems.empty());
  house.report("1", "a");
  house.report("1", "b");
  CHECK(house.report("2", "c") == "too_many_sessions");
  CHECK(house.row("2").empty());
  CHECK(house.report("1", "a") == "gxy1 2");
  CHECK(house.report("3", "b").ends_with(" 1"));  // moves
  house.pass(4s);
  app::leave_room(*house.desk, "1", "a");
  CHECK(house.report("2", "c").ends_with(" 1"));
}

TEST_CASE("a silent session counts to sessions.max until the cleaning, and may come back") {
  House house;
  app::Configured few = house.configured;
  few.options.max_sessions = 1;
  REQUIRE(house.reload(few).problems.empty());
  house.report("1", "a");
  for (int i = 0; i < 90; ++i) {
    house.pass(1s);
    app::expire_sessions(*house.desk);
  }
  CHECK(house.report("1", "b") == "too_many_sessions");
  CHECK(house.report("1", "a") == "gxy1 1");
}

TEST_CASE("a forced release forgets the sessions of a large room in slices") {
  House house;
  for (int i = 0; i < 2000; ++i) house.report("1", "s" + std::to_string(i));
  house.report("2", "other");
  const int before = house.turns();
  CHECK(app::release_room(*house.desk, "1", true) == app::Released::done);
  CHECK(house.turns() - before > 10);
  CHECK(house.count("sessions") == 1);
  CHECK(house.ask("1") == "gxy1 assigned");
}

namespace {
std::string splits(House& house) {
  std::string text;
  for (const auto& split : app::list_splits(*house.desk)) {
    text += split.room + "@" + split.janus.value_or("-");
    for (const auto& part : split.parts) text += " " + part.gateway + ":" + std::to_string(part.participants);
  }
  return text;
}
}  // namespace

TEST_CASE("sessions that report another gateway than their room's show that it is split, until they do not") {
  House house;
  house.report("1", "a", "gxy2");
  house.report("1", "b", "gxy2");
  CHECK(splits(house).empty());
  house.report("1", "c", "gxy3");
  CHECK(splits(house) == "1@gxy2 gxy2:2 gxy3:1");
  app::heal_splits(*house.desk);
  CHECK(splits(house) == "1@gxy2 gxy2:2 gxy3:1");
  SECTION("since they are where the room is") { house.report("1", "c", "gxy2"); }
  SECTION("since they left") { app::leave_room(*house.desk, "1", "c"); }
  SECTION("since they went to another room") { house.report("2", "c", "gxy3"); }
  SECTION("since they are silent") {
    for (int i = 0; i < 90; ++i) {
      house.pass(1s);
      house.report("1", "a");
    }
  }
  SECTION("since the room has ended") { CHECK(app::release_room(*house.desk, "1", true) == app::Released::done); }
  app::heal_splits(*house.desk);
  CHECK(splits(house).empty());
}

TEST_CASE("a snapshot shows splits as well, and so do sessions in legacy mode") {
  House house;
  app::Configured legacy = house.configured;
  legacy.options.scale = GENERATE(true, false);
  REQUIRE(house.reload(legacy).problems.empty());
  house.report("1", "a", "gxy1");
  app::report_snapshot(*house.desk, {{"1", "a", "gxy1"}, {"1", "b", "gxy4"}, {"1", "c", "unheard-of"}}, 0ms);
  CHECK(splits(house) == "1@gxy1 gxy1:1 gxy4:1");
}
