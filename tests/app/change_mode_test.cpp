// Changes of mode with live rooms, and changes of the catalogue.
#include <atomic>
#include <thread>

#include "app/listings.h"
#include "app/lone_sidecar.h"
#include "catch.h"

namespace {
app::Configured with_mode(const LoneSidecar& sidecar, bool scale) {
  app::Configured configured = sidecar.configured;
  configured.options.scale = scale;
  return configured;
}
}  // namespace

TEST_CASE("an occupied room is assigned where its users are when scale mode begins") {
  LoneSidecar sidecar;
  REQUIRE(sidecar.reload(with_mode(sidecar, false)).problems.empty());
  CHECK(sidecar.report("1", "a", "gxy3") == "gxy1 1");  // they say where they really are
  CHECK(sidecar.report("2", "b") == "gxy1 1");
  CHECK(sidecar.count("sessions") == 0);
  REQUIRE(sidecar.reload(with_mode(sidecar, true)).problems.empty());
  CHECK(sidecar.ask("1") == "gxy3 sticky");
  CHECK(sidecar.ask("2") == "gxy1 sticky");
  CHECK(sidecar.row("1") == "gxy3");
  CHECK(sidecar.count("sessions") == 2);
}

TEST_CASE("an older row of an occupied room is replaced, and one of an empty room is kept") {
  LoneSidecar sidecar;
  CHECK(sidecar.ask("1") == "gxy1 assigned");
  CHECK(sidecar.ask("2") == "gxy2 assigned");
  CHECK(sidecar.ask("3") == "gxy3 assigned");
  REQUIRE(sidecar.reload(with_mode(sidecar, false)).problems.empty());
  CHECK(sidecar.ask("2") == "gxy1 default");  // the table stays and is ignored
  CHECK(sidecar.count("room_server_assignments") == 3);
  sidecar.report("2", "a");
  REQUIRE(sidecar.reload(with_mode(sidecar, true)).problems.empty());
  CHECK(sidecar.ask("2") == "gxy1 sticky");
  CHECK(sidecar.ask("3") == "gxy3 sticky");
  CHECK(sidecar.row("2") == "gxy1");
}

TEST_CASE("scale mode begins in slices, and requests in between get the gateway with the room's users") {
  app::Configured configured = four_gateways();
  for (int i = 1; i <= 500; ++i) {
    domain::ConfiguredRoom room;
    room.gateway_uid = domain::RoomId(std::to_string(1000 + i));
    room.default_gateway = "gxy1";
    configured.rooms.push_back(room);
  }
  LoneSidecar sidecar(configured);
  for (const auto& room : configured.rooms) {
    sidecar.report(room.gateway_uid.text(), "old " + room.gateway_uid.text(), "gxy2");
  }
  REQUIRE(sidecar.reload(with_mode(sidecar, false)).problems.empty());
  for (const auto& room : configured.rooms) {
    app::leave_room(*sidecar.registry, room.gateway_uid, "old " + room.gateway_uid.text());
    sidecar.report(room.gateway_uid.text(), "s" + room.gateway_uid.text(), "gxy3");  // an older row says gxy2
  }
  std::atomic<bool> is_done{false};
  int wrong = 0;
  std::thread asker([&] {
    while (!is_done) {
      for (const char* room : {"1500", "1001", "1499"}) {
        const std::string answer = sidecar.ask(room);
        if (answer != "gxy1 default" && answer != "gxy3 sticky") ++wrong;
      }
    }
  });
  REQUIRE(sidecar.reload(with_mode(sidecar, true)).problems.empty());
  is_done = true;
  asker.join();
  CHECK(wrong == 0);
  CHECK(sidecar.text("SELECT count(*) FROM room_server_assignments WHERE gateway_name = 'gxy3'") == "500");
}

TEST_CASE("a room requested before its slice is assigned at once, and its older row is not answered") {
  LoneSidecar sidecar;
  for (const char* room : {"1", "2", "4"}) sidecar.ask(room);
  REQUIRE(sidecar.reload(with_mode(sidecar, false)).problems.empty());
  sidecar.report("2", "a", "gxy4");
  REQUIRE(sidecar.reload(with_mode(sidecar, true)).problems.empty());
  sidecar.report("3", "b", "gxy3");
  {
    app::Registry::Transaction transaction(
        *sidecar.registry);  // as in the middle of it: room 2 is again where legacy mode left it
    transaction.ledger().follow({"2", "gxy1", "", transaction.now().wall, transaction.now().wall});
    transaction.ledger().set_as_legacy_left("1");
    CHECK_FALSE(transaction.ledger().may_end("4", transaction.now().service + std::chrono::hours{1}, {}));
  }
  CHECK(sidecar.ask("2") == "gxy4 sticky");
}

TEST_CASE("no session is restored when scale mode begins by a restart after legacy mode") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  sidecar.configured.options.scale = false;
  sidecar.restart();
  CHECK(sidecar.ask("1") == "gxy1 default");
  CHECK(sidecar.report("1", "b") == "gxy1 2");  // the first is remembered from scale mode
  sidecar.configured.options.scale = true;
  sidecar.restart();
  CHECK(sidecar.report("1", "c") == "gxy1 1");  // but legacy mode wrote none down
}

TEST_CASE("users that legacy mode answered may still be on the way when scale mode begins") {
  LoneSidecar sidecar;
  sidecar.report("1", "a", "gxy1");
  REQUIRE(sidecar.reload(with_mode(sidecar, false)).problems.empty());
  CHECK(sidecar.ask("1") == "gxy1 default");
  REQUIRE(sidecar.reload(with_mode(sidecar, true)).problems.empty());
  CHECK_FALSE(app::leave_room(*sidecar.registry, "1", "a").assignment_removed);
  CHECK(sidecar.ask("1") == "gxy1 sticky");
}

TEST_CASE("the last use just before legacy mode began is in the file") {
  LoneSidecar sidecar;
  sidecar.ask("1");
  sidecar.pass(std::chrono::seconds{1});
  sidecar.ask("1");
  REQUIRE(sidecar.reload(with_mode(sidecar, false)).problems.empty());
  const std::string used = domain::to_text(*app::find_room(*sidecar.registry, "1")->last_used_at);
  CHECK(sidecar.text("SELECT last_used_at FROM room_server_assignments") == used);
}

TEST_CASE("a room that is removed from the configuration loses its sessions and its assignment") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  app::Configured without = sidecar.configured;
  without.rooms.erase(without.rooms.begin());
  REQUIRE(sidecar.reload(without).problems.empty());
  CHECK(sidecar.ask("1") == "room_not_found");
  CHECK(sidecar.row("1").empty());
  CHECK(sidecar.count("sessions") == 0);
  REQUIRE(sidecar.reload(sidecar.configured).problems.empty());
}

TEST_CASE("invariant 7: a bad configuration never replaces a good one") {
  LoneSidecar sidecar;
  sidecar.ask("1");
  app::Configured bad = with_mode(sidecar, false);
  bad.options.available_servers = {{"gxy1", "gxy44"}};
  bad.options.available_where = "config.toml:7";
  const auto result = sidecar.reload(bad);
  REQUIRE(result.problems.size() == 1);
  CHECK(result.problems[0] ==
        "config.toml:7: balancing.available_servers: there is no gateway \"gxy44\" (did you mean \"gxy4\"?)");
  CHECK(sidecar.ask("2") == "gxy2 assigned");  // neither the mode nor the list
}

TEST_CASE("a reload that cannot be written is in force, and is written later") {
  LoneSidecar sidecar;
  sidecar.ask("1");
  sidecar.lock_file();
  const auto result = sidecar.reload(with_mode(sidecar, false));
  CHECK(result.problems.empty());
  CHECK(sidecar.ask("2") == "gxy1 default");
  CHECK(sidecar.keeper->has_unwritten());
  sidecar.unlock_file();
  sidecar.keeper->retry();
  CHECK_FALSE(sidecar.keeper->has_unwritten());
}

TEST_CASE("a drained gateway gets no new room and keeps those it has, also after a restart") {
  LoneSidecar sidecar;
  CHECK(sidecar.ask("1") == "gxy1 assigned");
  using Drained = app::CatalogueKeeper::Drained;
  CHECK(sidecar.keeper->set_draining("gxy1", domain::Draining::yes) == Drained::done);
  CHECK(sidecar.keeper->set_draining("gxy9", domain::Draining::yes) == Drained::no_such_gateway);
  sidecar.restart();
  CHECK(sidecar.ask("1") == "gxy1 sticky");
  for (int i = 2; i <= 7; ++i) CHECK(sidecar.ask(std::to_string(i)).substr(0, 4) != "gxy1");
  CHECK(sidecar.keeper->set_draining("gxy1", domain::Draining::no) == Drained::done);
  CHECK(sidecar.ask("8") == "gxy1 assigned");
}

TEST_CASE("rows, sessions and mode are in the file when a reload to scale mode returns") {
  LoneSidecar sidecar;
  sidecar.ask("1");
  REQUIRE(sidecar.reload(with_mode(sidecar, false)).problems.empty());
  sidecar.report("1", "a", "gxy3");
  sidecar.report("2", "b");
  const auto result = sidecar.reload(with_mode(sidecar, true));
  REQUIRE(result.problems.empty());
  CHECK(result.warnings.empty());
  sidecar.configured.options.scale = true;
  sidecar.restart();  // as after kill -9: what is in the file is all that is known
  CHECK(sidecar.ask("1") == "gxy3 sticky");
  CHECK(sidecar.ask("2") == "gxy1 sticky");
  CHECK(sidecar.report("1", "c") == "gxy3 2");
}

TEST_CASE("a switch of mode while storage fails still sends everyone to where the users are") {
  LoneSidecar sidecar;
  sidecar.ask("1");
  sidecar.ask("2");
  REQUIRE(sidecar.reload(with_mode(sidecar, false)).problems.empty());
  sidecar.report("1", "a", "gxy3");
  sidecar.report("2", "b");  // on the default, which the old row does not name
  sidecar.lock_file();
  const auto result = sidecar.reload(with_mode(sidecar, true));
  CHECK(result.problems.empty());
  CHECK_FALSE(result.warnings.empty());
  sidecar.unlock_file();
  CHECK(sidecar.ask("1").substr(0, 4) == "gxy3");
  CHECK(sidecar.ask("2").substr(0, 4) == "gxy1");
  sidecar.keeper->retry();
  CHECK(sidecar.row("1") == "gxy3");
  CHECK(sidecar.count("sessions") == 2);
}

TEST_CASE("edits committed beside a reload are not lost") {
  LoneSidecar sidecar;
  for (int i = 0; i < 20; ++i) {
    app::Configured changed = sidecar.configured;
    changed.gateways[1].url = "wss://" + std::to_string(i);
    std::thread reload([&] { sidecar.reload(changed); });
    const bool draining = i % 2 == 0;
    sidecar.keeper->set_draining("gxy4", draining ? domain::Draining::yes : domain::Draining::no);
    sidecar.execute("UPDATE rooms SET name = 'n" + std::to_string(i) + "' WHERE id = 7");
    reload.join();
    CHECK(sidecar.text("SELECT draining FROM gateways WHERE name = 'gxy4'") == (draining ? "1" : "0"));
    CHECK(sidecar.text("SELECT name FROM rooms WHERE id = 7") == "n" + std::to_string(i));
  }
}

TEST_CASE("an edit that is committed while a reload waits for the file is not lost") {
  LoneSidecar sidecar;
  app::Configured changed = sidecar.configured;
  changed.gateways[1].url = "wss://new";
  sidecar.lock_file();
  sidecar.execute_in_lock("UPDATE gateways SET capacity = 77 WHERE name = 'gxy2'");
  // The writer's heartbeat advances often while it waits for the lock. By then the reload has read the file.
  const std::uint64_t before = sidecar.journal->heartbeats();
  std::thread reload([&] { CHECK(sidecar.reload(changed).problems.empty()); });
  while (sidecar.journal->heartbeats() < before + 10) std::this_thread::yield();
  sidecar.commit_lock();
  reload.join();
  CHECK(sidecar.text("SELECT url FROM gateways WHERE name = 'gxy2'") == "wss://new");
  CHECK(sidecar.text("SELECT capacity FROM gateways WHERE name = 'gxy2'") == "77");
}
