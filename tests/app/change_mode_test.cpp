// The flip and the flip back, with live rooms; and the catalogue's own changes.
#include <atomic>
#include <thread>

#include "app/house.h"
#include "app/listings.h"
#include "catch.h"

namespace {
app::Configured with_mode(const House& house, bool scale) {
  app::Configured configured = house.configured;
  configured.options.scale = scale;
  return configured;
}
}  // namespace

TEST_CASE("when scale mode begins an occupied room is assigned where its users are") {
  House house;
  REQUIRE(house.reload(with_mode(house, false)).problems.empty());
  CHECK(house.report("1", "a", "gxy3") == "gxy1 1");  // they say where they really are
  CHECK(house.report("2", "b") == "gxy1 1");
  CHECK(house.count("sessions") == 0);
  REQUIRE(house.reload(with_mode(house, true)).problems.empty());
  CHECK(house.ask("1") == "gxy3 sticky");
  CHECK(house.ask("2") == "gxy1 sticky");
  CHECK(house.row("1") == "gxy3");
  CHECK(house.count("sessions") == 2);
}

TEST_CASE("an older row of an occupied room is replaced, one of an empty room is found again") {
  House house;
  CHECK(house.ask("1") == "gxy1 assigned");
  CHECK(house.ask("2") == "gxy2 assigned");
  CHECK(house.ask("3") == "gxy3 assigned");
  REQUIRE(house.reload(with_mode(house, false)).problems.empty());
  CHECK(house.ask("2") == "gxy1 default");  // the table stays and is ignored
  CHECK(house.count("room_server_assignments") == 3);
  house.report("2", "a");
  REQUIRE(house.reload(with_mode(house, true)).problems.empty());
  CHECK(house.ask("2") == "gxy1 sticky");
  CHECK(house.ask("3") == "gxy3 sticky");
  CHECK(house.row("2") == "gxy1");
}

TEST_CASE("scale mode begins in slices, and whoever asks meanwhile is answered where the room's users are") {
  app::Configured configured = four_gateways();
  for (int i = 1; i <= 500; ++i) {
    domain::ConfiguredRoom room;
    room.gateway_uid = std::to_string(1000 + i);
    room.default_gateway = "gxy1";
    configured.rooms.push_back(room);
  }
  House house(configured);
  for (const auto& room : configured.rooms) house.report(room.gateway_uid, "old " + room.gateway_uid, "gxy2");
  REQUIRE(house.reload(with_mode(house, false)).problems.empty());
  for (const auto& room : configured.rooms) {
    app::leave_room(*house.desk, room.gateway_uid, "old " + room.gateway_uid);
    house.report(room.gateway_uid, "s" + room.gateway_uid, "gxy3");  // an older row says gxy2
  }
  std::atomic<bool> is_done{false};
  int wrong = 0;
  std::thread asker([&] {
    while (!is_done) {
      for (const char* room : {"1500", "1001", "1499"}) {
        const std::string answer = house.ask(room);
        if (answer != "gxy1 default" && answer != "gxy3 sticky") ++wrong;
      }
    }
  });
  REQUIRE(house.reload(with_mode(house, true)).problems.empty());
  is_done = true;
  asker.join();
  CHECK(wrong == 0);
  CHECK(house.text("SELECT count(*) FROM room_server_assignments WHERE gateway_name = 'gxy3'") == "500");
}

TEST_CASE("a room asked for before its turn comes is seen to at once; its older row is not answered") {
  House house;
  for (const char* room : {"1", "2", "4"}) house.ask(room);
  REQUIRE(house.reload(with_mode(house, false)).problems.empty());
  house.report("2", "a", "gxy4");
  REQUIRE(house.reload(with_mode(house, true)).problems.empty());
  house.report("3", "b", "gxy3");
  {
    app::Desk::Turn turn(*house.desk);  // as in the middle of it: room 2 is again where legacy mode left it
    turn.ledger().follow({"2", "gxy1", "", turn.now().wall, turn.now().wall});
    turn.ledger().set_as_legacy_left("1");
    CHECK_FALSE(turn.ledger().may_end("4", turn.now().service + std::chrono::hours{1}, {}));
  }
  CHECK(house.ask("2") == "gxy4 sticky");
}

TEST_CASE("rolled back by a restart, and forward again, sessions of the time between are not made up") {
  House house;
  house.report("1", "a");
  house.configured.options.scale = false;
  house.restart();
  CHECK(house.ask("1") == "gxy1 default");
  CHECK(house.report("1", "b") == "gxy1 2");  // the first is remembered from scale mode
  house.configured.options.scale = true;
  house.restart();
  CHECK(house.report("1", "c") == "gxy1 1");  // but legacy mode wrote none down
}

TEST_CASE("whom legacy mode answered may still be on the way when scale mode begins") {
  House house;
  house.report("1", "a", "gxy1");
  REQUIRE(house.reload(with_mode(house, false)).problems.empty());
  CHECK(house.ask("1") == "gxy1 default");
  REQUIRE(house.reload(with_mode(house, true)).problems.empty());
  CHECK_FALSE(app::leave_room(*house.desk, "1", "a").assignment_removed);
  CHECK(house.ask("1") == "gxy1 sticky");
}

TEST_CASE("what was used just before legacy mode began is in the file") {
  House house;
  house.ask("1");
  house.pass(std::chrono::seconds{1});
  house.ask("1");
  REQUIRE(house.reload(with_mode(house, false)).problems.empty());
  const std::string used = domain::to_text(*app::find_room(*house.desk, "1")->last_used_at);
  CHECK(house.text("SELECT last_used_at FROM room_server_assignments") == used);
}

TEST_CASE("a room that is removed from the configuration loses its sessions and its assignment") {
  House house;
  house.report("1", "a");
  app::Configured without = house.configured;
  without.rooms.erase(without.rooms.begin());
  REQUIRE(house.reload(without).problems.empty());
  CHECK(house.ask("1") == "room_not_found");
  CHECK(house.row("1").empty());
  CHECK(house.count("sessions") == 0);
  REQUIRE(house.reload(house.configured).problems.empty());
}

TEST_CASE("invariant 7: a bad configuration never replaces a good one") {
  House house;
  house.ask("1");
  app::Configured bad = with_mode(house, false);
  bad.options.available_servers = {{"gxy1", "gxy44"}};
  bad.options.available_where = "config.toml:7";
  const auto result = house.reload(bad);
  REQUIRE(result.problems.size() == 1);
  CHECK(result.problems[0] ==
        "config.toml:7: balancing.available_servers: there is no gateway \"gxy44\" (did you mean \"gxy4\"?)");
  CHECK(house.ask("2") == "gxy2 assigned");  // neither the mode nor the list
}

TEST_CASE("a reload that cannot be written is in force all the same, and written later") {
  House house;
  house.ask("1");
  house.lock_file();
  const auto result = house.reload(with_mode(house, false));
  CHECK(result.problems.empty());
  CHECK(house.ask("2") == "gxy1 default");
  CHECK(house.keeper->has_unwritten());
  house.unlock_file();
  house.keeper->retry();
  CHECK_FALSE(house.keeper->has_unwritten());
}

TEST_CASE("a drained gateway gets no new room and keeps those it has, also after a restart") {
  House house;
  CHECK(house.ask("1") == "gxy1 assigned");
  using Drained = app::CatalogueKeeper::Drained;
  CHECK(house.keeper->set_draining("gxy1", domain::Draining::yes) == Drained::done);
  CHECK(house.keeper->set_draining("gxy9", domain::Draining::yes) == Drained::no_such_gateway);
  house.restart();
  CHECK(house.ask("1") == "gxy1 sticky");
  for (int i = 2; i <= 7; ++i) CHECK(house.ask(std::to_string(i)).substr(0, 4) != "gxy1");
  CHECK(house.keeper->set_draining("gxy1", domain::Draining::no) == Drained::done);
  CHECK(house.ask("8") == "gxy1 assigned");
}

TEST_CASE("when a reload to scale mode returns, rows, sessions and mode are in the file") {
  House house;
  house.ask("1");
  REQUIRE(house.reload(with_mode(house, false)).problems.empty());
  house.report("1", "a", "gxy3");
  house.report("2", "b");
  const auto result = house.reload(with_mode(house, true));
  REQUIRE(result.problems.empty());
  CHECK(result.warnings.empty());
  house.configured.options.scale = true;
  house.restart();  // as after kill -9: what is in the file is all that is known
  CHECK(house.ask("1") == "gxy3 sticky");
  CHECK(house.ask("2") == "gxy1 sticky");
  CHECK(house.report("1", "c") == "gxy3 2");
}

TEST_CASE("a switch while storage fails still sends everyone to where the users are") {
  House house;
  house.ask("1");
  house.ask("2");
  REQUIRE(house.reload(with_mode(house, false)).problems.empty());
  house.report("1", "a", "gxy3");
  house.report("2", "b");  // on the default, which the old row does not name
  house.lock_file();
  const auto result = house.reload(with_mode(house, true));
  CHECK(result.problems.empty());
  CHECK_FALSE(result.warnings.empty());
  house.unlock_file();
  CHECK(house.ask("1").substr(0, 4) == "gxy3");
  CHECK(house.ask("2").substr(0, 4) == "gxy1");
  house.keeper->retry();
  CHECK(house.row("1") == "gxy3");
  CHECK(house.count("sessions") == 2);
}

TEST_CASE("edits committed beside a reload are not lost") {
  House house;
  for (int i = 0; i < 20; ++i) {
    app::Configured changed = house.configured;
    changed.gateways[1].url = "wss://" + std::to_string(i);
    std::thread reload([&] { house.reload(changed); });
    const bool draining = i % 2 == 0;
    house.keeper->set_draining("gxy4", draining ? domain::Draining::yes : domain::Draining::no);
    house.execute("UPDATE rooms SET name = 'n" + std::to_string(i) + "' WHERE id = 7");
    reload.join();
    CHECK(house.text("SELECT draining FROM gateways WHERE name = 'gxy4'") == (draining ? "1" : "0"));
    CHECK(house.text("SELECT name FROM rooms WHERE id = 7") == "n" + std::to_string(i));
  }
}

TEST_CASE("an edit that is committed while a reload waits for the file is not lost") {
  House house;
  app::Configured changed = house.configured;
  changed.gateways[1].url = "wss://new";
  house.lock_file();
  house.execute_in_lock("UPDATE gateways SET capacity = 77 WHERE name = 'gxy2'");
  // Within the lock's wait the writer's heart beats often: by then the reload has read the file.
  const std::uint64_t before = house.journal->heartbeats();
  std::thread reload([&] { CHECK(house.reload(changed).problems.empty()); });
  while (house.journal->heartbeats() < before + 10) std::this_thread::yield();
  house.commit_lock();
  reload.join();
  CHECK(house.text("SELECT url FROM gateways WHERE name = 'gxy2'") == "wss://new");
  CHECK(house.text("SELECT capacity FROM gateways WHERE name = 'gxy2'") == "77");
}
