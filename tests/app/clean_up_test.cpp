#include "app/clean_up.h"

#include <map>
#include <string>
#include <vector>

#include "app/listings.h"
#include "app/lone_sidecar.h"
#include "app/report_snapshot.h"
#include "catch.h"

using namespace std::chrono_literals;

namespace {
// Twelve rooms with a user each; where they are, by room.
std::map<std::string, std::string> twelve_occupied(LoneSidecar& sidecar) {
  std::map<std::string, std::string> gateways;
  for (int i = 1; i <= 12; ++i) {
    const std::string room = std::to_string(i);
    sidecar.report(room, "s" + room);
    gateways[room] = sidecar.row(room);
  }
  return gateways;
}

std::map<std::string, std::string> asked(LoneSidecar& sidecar) {
  std::map<std::string, std::string> gateways;
  for (int i = 1; i <= 12; ++i) {
    const std::string answer = sidecar.ask(std::to_string(i));
    gateways[std::to_string(i)] = answer.substr(0, answer.find(' '));
  }
  return gateways;
}

// Time passes in steps, as for a process that reads the clock every second.
void pass(LoneSidecar& sidecar, std::chrono::seconds time) {
  for (; time > 0s; time -= 1s) {
    sidecar.pass(1s);
    app::Registry::Transaction transaction(*sidecar.registry);
  }
}
}  // namespace

TEST_CASE("silent sessions go after dead_after, and the assignment goes with the last of them") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  sidecar.report("1", "b");
  pass(sidecar, 60s);
  sidecar.report("1", "b");
  pass(sidecar, 30s);
  CHECK(app::clean_up(*sidecar.registry) == 0);
  CHECK(sidecar.report("1", "b") == "gxy1 1");
  pass(sidecar, 90s);
  CHECK(app::clean_up(*sidecar.registry) == 1);
  CHECK(sidecar.row("1").empty());
  CHECK(sidecar.count("sessions") == 0);
}

TEST_CASE("invariant 5: a cleanup removes no assignment within its grace, and none with a live session") {
  LoneSidecar sidecar;
  sidecar.ask("1");          // nobody has joined yet
  sidecar.report("2", "a");  // occupied
  sidecar.report("3", "b");
  sidecar.ask("3");  // somebody is on the way
  app::leave_room(*sidecar.registry, "3", "b");
  for (int i = 0; i < 119; ++i) {
    pass(sidecar, 1s);
    if (i % 30 == 0) sidecar.report("2", "a");
    REQUIRE(app::clean_up(*sidecar.registry) == 0);
  }
  pass(sidecar, 1s);
  CHECK(app::clean_up(*sidecar.registry) == 2);
  CHECK(sidecar.row("1").empty());
  CHECK(sidecar.row("2") == "gxy2");
  CHECK(sidecar.row("3").empty());
}

TEST_CASE("a sticky answer renews the grace") {
  LoneSidecar sidecar;
  sidecar.ask("1");
  pass(sidecar, 100s);
  sidecar.ask("1");
  pass(sidecar, 100s);
  CHECK(app::clean_up(*sidecar.registry) == 0);
  pass(sidecar, 20s);
  CHECK(app::clean_up(*sidecar.registry) == 1);
}

TEST_CASE("mass silence: rooms keep their assignments for join_grace if most sessions fall silent at once") {
  LoneSidecar sidecar;
  for (int i = 0; i < 10; ++i) sidecar.report(std::to_string(i + 1), "s" + std::to_string(i));
  pass(sidecar, 90s);
  CHECK(app::clean_up(*sidecar.registry) == 0);
  CHECK(sidecar.count("sessions") == 0);
  CHECK(sidecar.ask("1") == "gxy1 sticky");
  pass(sidecar, 120s);
  CHECK(app::clean_up(*sidecar.registry) == 10);
}

TEST_CASE("mass silence also keeps a room whose last live user leaves soon after") {
  LoneSidecar sidecar;
  for (int i = 0; i < 10; ++i) sidecar.report("1", "s" + std::to_string(i));
  pass(sidecar, 45s);
  sidecar.report("1", "another server's");
  pass(sidecar, 45s);
  CHECK(app::clean_up(*sidecar.registry) == 0);
  CHECK_FALSE(app::leave_room(*sidecar.registry, "1", "another server's").assignment_removed);
  CHECK(sidecar.report("1", "s0") == "gxy1 1");
}

TEST_CASE("sessions that fall silent together are removed in slices") {
  LoneSidecar sidecar;
  constexpr int many = 5000;
  for (int i = 0; i < many; ++i) sidecar.report(std::to_string(i % 50 + 1), "s" + std::to_string(i));
  pass(sidecar, 90s);
  const auto live = [&] { return app::Registry::Transaction(*sidecar.registry).ledger().sessions().live(); };
  const std::size_t at_first = live();
  CHECK(at_first > many * 8 / 10);  // that transaction has not expired all of them
  CHECK(live() < at_first);
  const int before = sidecar.clock_reads();
  app::expire_sessions(*sidecar.registry);
  CHECK(sidecar.clock_reads() - before > 10);
  CHECK(live() == 0);
  CHECK(app::clean_up(*sidecar.registry) == 0);  // as most fell silent at once
  CHECK(sidecar.clock_reads() - before > 80);
  CHECK(sidecar.count("sessions") == 0);
}

TEST_CASE("a cleanup expires the silent sessions itself before it counts them") {
  LoneSidecar sidecar;
  for (int i = 0; i < 1000; ++i) sidecar.report(std::to_string(i % 50 + 1), "s" + std::to_string(i));
  pass(sidecar, 90s);
  CHECK(app::clean_up(*sidecar.registry) == 0);
  CHECK(sidecar.ask("1") == "gxy1 sticky");
  CHECK(sidecar.count("sessions") == 0);
}

TEST_CASE("nine silent sessions are no mass silence, nor are ten of twenty") {
  LoneSidecar sidecar;
  const int silent = GENERATE(9, 10);
  for (int i = 0; i < silent; ++i) sidecar.report("1", "s" + std::to_string(i));
  pass(sidecar, 45s);
  if (silent == 10) {
    for (int i = 0; i < 10; ++i) sidecar.report("2", "t" + std::to_string(i));
  }
  pass(sidecar, 45s);
  CHECK(app::clean_up(*sidecar.registry) == 1);
}

TEST_CASE("time in which the process stood still ages no session and no grace") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  pass(sidecar, 80s);
  sidecar.pass(5min);
  pass(sidecar, 9s);
  CHECK(app::clean_up(*sidecar.registry) == 0);
  CHECK(sidecar.report("1", "b") == "gxy1 2");
}

TEST_CASE("five minutes of standing still cost no session and no grace, whatever happens first afterwards") {
  LoneSidecar sidecar;
  const auto before = twelve_occupied(sidecar);
  sidecar.ask("20");  // nobody joins
  pass(sidecar, 85s);
  sidecar.pass(5min);
  const int first = GENERATE(0, 1, 2);
  if (first == 0) CHECK(app::clean_up(*sidecar.registry) == 0);
  if (first == 1) CHECK(sidecar.report("1", "s1") == before.at("1") + " 1");
  if (first == 2) CHECK(app::report_snapshot(*sidecar.registry, {{"1", "s1", {}}}, 0ms).left == 11);
  CHECK(app::clean_up(*sidecar.registry) == 0);
  CHECK(sidecar.row("20") != "");
  CHECK(asked(sidecar) == before);
}

TEST_CASE("an hour's jump of the wall clock shows only in the times of listings") {
  LoneSidecar sidecar;
  const auto before = twelve_occupied(sidecar);
  sidecar.ask("20");
  pass(sidecar, 80s);
  const auto used = app::find_room(*sidecar.registry, "20")->last_used_at;
  const auto jump = GENERATE(1h, -1h);
  sidecar.set_wall_clock(jump);
  pass(sidecar, 9s);
  CHECK(app::clean_up(*sidecar.registry) == 0);
  CHECK(asked(sidecar) == before);
  CHECK(sidecar.ask("20").find(" sticky") != std::string::npos);
  CHECK(*app::find_room(*sidecar.registry, "20")->last_used_at - *used == jump + 89s);
  sidecar.set_wall_clock(-jump);
  pass(sidecar, 1s);  // 90 s of silence are 90 s, whatever the wall clock showed
  CHECK(app::find_room(*sidecar.registry, "1")->users == 0);
  sidecar.restart();
  CHECK(asked(sidecar) == before);
}

TEST_CASE("a signaling server that was silent for three minutes finds every room where it was") {
  LoneSidecar sidecar;
  const auto before = twelve_occupied(sidecar);
  // The cleanup runs at any time within its minute.
  const auto first_cleaning = std::chrono::seconds{GENERATE(1, 30, 60)};
  pass(sidecar, first_cleaning);
  CHECK(app::clean_up(*sidecar.registry) == 0);
  for (auto silent = first_cleaning; silent + 60s <= 180s; silent += 60s) {
    pass(sidecar, 60s);
    CHECK(app::clean_up(*sidecar.registry) == 0);
  }
  pass(sidecar, 60s - first_cleaning % 60s);
  CHECK(asked(sidecar) == before);  // others ask meanwhile
  std::vector<app::SnapshotEntry> everybody;
  for (const auto& [room, gateway] : before) everybody.push_back({room, "s" + room, std::nullopt});
  const auto back = app::report_snapshot(*sidecar.registry, everybody, 0ms);
  CHECK(back.entered == 12);
  CHECK(back.rejected.empty());
  pass(sidecar, 60s);
  CHECK(app::clean_up(*sidecar.registry) == 0);
  CHECK(asked(sidecar) == before);
}

TEST_CASE("users whose sessions expired in two cleanups return to the gateways that they report") {
  LoneSidecar sidecar;
  // Keepalives were spread over half a minute, so the sessions expire in two cleanups.
  for (int i = 1; i <= 12; ++i) {
    sidecar.report(std::to_string(i), "s" + std::to_string(i), "gxy" + std::to_string(i % 4 + 1));
    pass(sidecar, 3s);
  }
  pass(sidecar, 66s);
  CHECK(app::clean_up(*sidecar.registry) > 0);
  pass(sidecar, 60s);
  app::clean_up(*sidecar.registry);
  std::vector<app::SnapshotEntry> everybody;
  for (int i = 1; i <= 12; ++i) {
    everybody.push_back({std::to_string(i), "s" + std::to_string(i), "gxy" + std::to_string(i % 4 + 1)});
  }
  CHECK(app::report_snapshot(*sidecar.registry, everybody, 0ms).entered == 12);
  for (int i = 1; i <= 12; ++i) CHECK(sidecar.row(std::to_string(i)) == "gxy" + std::to_string(i % 4 + 1));
}

TEST_CASE("a restored session has a full dead_after after a restart") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  pass(sidecar, 80s);
  sidecar.restart();
  pass(sidecar, 89s);
  CHECK(app::clean_up(*sidecar.registry) == 0);
  CHECK(sidecar.report("1", "b") == "gxy1 2");
}

TEST_CASE("last uses are written behind, of however many rooms") {
  LoneSidecar sidecar;
  sidecar.configured.options.unknown_rooms = domain::UnknownRooms::accept;
  sidecar.restart();
  constexpr int rooms = 1100;  // more than two slices
  for (int room = 0; room < rooms; ++room) sidecar.ask(std::to_string(room));
  pass(sidecar, 1s);
  for (int room = 0; room < rooms; ++room) sidecar.ask(std::to_string(room));
  app::write_last_used(*sidecar.registry, *sidecar.journal);
  sidecar.journal->flush();
  CHECK(sidecar.text("SELECT count(*) FROM room_server_assignments WHERE last_used_at > assigned_at") ==
        std::to_string(rooms));
  // Each once: nothing is left to be written.
  CHECK(app::Registry::Transaction(*sidecar.registry).ledger().take_touched().empty());
}

TEST_CASE("a room used while last uses are being written is written again") {
  LoneSidecar sidecar;
  sidecar.ask("1");
  pass(sidecar, 1s);
  sidecar.ask("1");
  domain::Ledger& ledger = app::Registry::Transaction(*sidecar.registry).ledger();
  CHECK(ledger.take_touched() == std::vector<domain::RoomId>{"1"});
  sidecar.ask("1");
  CHECK(ledger.take_touched().empty());  // its slice is still to come, and takes the newer time
  CHECK(ledger.take_last_used("1"));
  CHECK(!ledger.take_last_used("1"));
  sidecar.ask("1");
  CHECK(ledger.take_touched() == std::vector<domain::RoomId>{"1"});
}
