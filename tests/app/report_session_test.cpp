#include "app/report_session.h"

#include "app/clean_up.h"
#include "app/lone_sidecar.h"
#include "app/release_room.h"
#include "app/report_snapshot.h"
#include "app/splits.h"
#include "catch.h"

using namespace std::chrono_literals;

TEST_CASE("a session enters, stays and leaves") {
  LoneSidecar sidecar;
  CHECK(sidecar.ask("1") == "gxy1 assigned");
  CHECK(sidecar.report("1", "a") == "gxy1 1");
  CHECK(sidecar.report("1", "a") == "gxy1 1");
  CHECK(sidecar.report("1", "b") == "gxy1 2");
  CHECK(sidecar.count("sessions") == 2);
  auto left = app::leave_room(*sidecar.registry, "1", "a");
  CHECK(left.users == 1);
  CHECK_FALSE(left.assignment_removed);
  left = app::leave_room(*sidecar.registry, "1", "b");
  CHECK(left.users == 0);
  CHECK(left.assignment_removed);
  CHECK(sidecar.row("1").empty());
  CHECK(sidecar.count("sessions") == 0);
}

TEST_CASE("leaving an unknown room, as an unknown session, or from another room changes nothing") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  for (const auto& [room, session] : {std::pair{"2", "a"}, std::pair{"1", "x"}, std::pair{"nowhere", "a"}}) {
    CHECK_FALSE(app::leave_room(*sidecar.registry, domain::RoomId(std::string(room)), session).assignment_removed);
  }
  CHECK(sidecar.report("1", "a") == "gxy1 1");
}

TEST_CASE("a move enters the new room and ends the old one's assignment") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  CHECK(sidecar.report("2", "a") == "gxy2 1");
  CHECK(sidecar.row("1").empty());
  CHECK(sidecar.row("2") == "gxy2");
}

TEST_CASE("a keepalive places a room without assignment where its user is") {
  LoneSidecar sidecar;
  CHECK(sidecar.report("1", "a", "gxy4") == "gxy4 1");
  CHECK(sidecar.row("1") == "gxy4");
  CHECK(sidecar.ask("1") == "gxy4 sticky");
  CHECK(sidecar.report("1", "b", "gxy2") == "gxy4 2");  // an existing assignment stands
}

TEST_CASE("a refused report changes nothing") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  CHECK(sidecar.report("nowhere", "a") == "room_not_found");
  sidecar.lock_file();
  CHECK(sidecar.report("2", "a") == "storage_unavailable");
  sidecar.let_claims_end();
  sidecar.unlock_file();
  CHECK(sidecar.report("1", "b") == "gxy1 2");  // a is still there
  CHECK(sidecar.row("2").empty());
}

TEST_CASE("a user on the way keeps the room until join_grace after the answer") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  sidecar.ask("1");
  CHECK_FALSE(app::leave_room(*sidecar.registry, "1", "a").assignment_removed);
  CHECK(sidecar.row("1") == "gxy1");
}

TEST_CASE("an operator's release is in the file when it is answered, and a refused one changes nothing") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  CHECK(app::release_room(*sidecar.registry, "2", false) == app::Released::no_assignment);
  CHECK(app::release_room(*sidecar.registry, "1", false) == app::Released::occupied);
  sidecar.lock_file();
  CHECK(app::release_room(*sidecar.registry, "1", true) == app::Released::storage_unavailable);
  sidecar.unlock_file();
  CHECK(sidecar.report("1", "a") == "gxy1 1");
  CHECK(app::release_room(*sidecar.registry, "1", true) == app::Released::done);
  CHECK(sidecar.row("1").empty());
  // Its users are still there, and must not bring it back.
  CHECK(sidecar.report("1", "a", "gxy4") == "gxy1 1");
}

TEST_CASE("a refused release does not touch the file, not even for a moment") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  sidecar.was_written();
  CHECK(app::release_room(*sidecar.registry, "1", false) == app::Released::occupied);
  CHECK_FALSE(sidecar.was_written());
}

TEST_CASE("above sessions.max new sessions are refused, and known ones go on") {
  LoneSidecar sidecar;
  app::Configured few = sidecar.configured;
  few.options.max_sessions = 2;
  few.options.scale = GENERATE(true, false);
  REQUIRE(sidecar.reload(few).problems.empty());
  sidecar.report("1", "a");
  sidecar.report("1", "b");
  CHECK(sidecar.report("2", "c") == "too_many_sessions");
  CHECK(sidecar.row("2").empty());
  CHECK(sidecar.report("1", "a") == "gxy1 2");
  CHECK(sidecar.report("3", "b").ends_with(" 1"));  // moves
  sidecar.pass(4s);
  app::leave_room(*sidecar.registry, "1", "a");
  CHECK(sidecar.report("2", "c").ends_with(" 1"));
}

TEST_CASE("a silent session counts towards sessions.max until the cleanup, and may come back") {
  LoneSidecar sidecar;
  app::Configured few = sidecar.configured;
  few.options.max_sessions = 1;
  REQUIRE(sidecar.reload(few).problems.empty());
  sidecar.report("1", "a");
  for (int i = 0; i < 90; ++i) {
    sidecar.pass(1s);
    app::expire_sessions(*sidecar.registry);
  }
  CHECK(sidecar.report("1", "b") == "too_many_sessions");
  CHECK(sidecar.report("1", "a") == "gxy1 1");
}

TEST_CASE("a forced release forgets the sessions of a large room in slices") {
  LoneSidecar sidecar;
  for (int i = 0; i < 2000; ++i) sidecar.report("1", "s" + std::to_string(i));
  sidecar.report("2", "other");
  const int before = sidecar.clock_reads();
  CHECK(app::release_room(*sidecar.registry, "1", true) == app::Released::done);
  CHECK(sidecar.clock_reads() - before > 10);
  CHECK(sidecar.count("sessions") == 1);
  CHECK(sidecar.ask("1") == "gxy1 assigned");
}

TEST_CASE("a room is split as long as sessions of it report another gateway than the room's") {
  LoneSidecar sidecar;
  sidecar.report("1", "a", "gxy2");
  sidecar.report("1", "b", "gxy2");
  CHECK(sidecar.splits().empty());
  sidecar.report("1", "c", "gxy3");
  CHECK(sidecar.splits() == "1@gxy2 gxy2:2 gxy3:1");
  app::heal_splits(*sidecar.registry);
  CHECK(sidecar.splits() == "1@gxy2 gxy2:2 gxy3:1");
  SECTION("since they are where the room is") { sidecar.report("1", "c", "gxy2"); }
  SECTION("since they left") { app::leave_room(*sidecar.registry, "1", "c"); }
  SECTION("since they went to another room") { sidecar.report("2", "c", "gxy3"); }
  SECTION("since they are silent") {
    for (int i = 0; i < 90; ++i) {
      sidecar.pass(1s);
      sidecar.report("1", "a");
    }
  }
  SECTION("since the room has ended") { CHECK(app::release_room(*sidecar.registry, "1", true) == app::Released::done); }
  app::heal_splits(*sidecar.registry);
  CHECK(sidecar.splits().empty());
}

TEST_CASE("a snapshot also shows splits, and so do sessions in legacy mode") {
  LoneSidecar sidecar;
  app::Configured legacy = sidecar.configured;
  legacy.options.scale = GENERATE(true, false);
  REQUIRE(sidecar.reload(legacy).problems.empty());
  sidecar.report("1", "a", "gxy1");
  app::report_snapshot(*sidecar.registry, {{"1", "a", "gxy1"}, {"1", "b", "gxy4"}, {"1", "c", "unheard-of"}}, 0ms);
  CHECK(sidecar.splits() == "1@gxy1 gxy1:1 gxy4:1");
}
