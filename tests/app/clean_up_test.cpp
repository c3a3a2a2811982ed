#include "app/clean_up.h"

#include <map>
#include <string>
#include <vector>

#include "app/house.h"
#include "app/listings.h"
#include "app/report_snapshot.h"
#include "catch.h"

using namespace std::chrono_literals;

namespace {
// Twelve rooms with a user each; where they are, by room.
std::map<std::string, std::string> twelve_occupied(House& house) {
  std::map<std::string, std::string> gateways;
  for (int i = 1; i <= 12; ++i) {
    const std::string room = std::to_string(i);
    house.report(room, "s" + room);
    gateways[room] = house.row(room);
  }
  return gateways;
}

std::map<std::string, std::string> asked(House& house) {
  std::map<std::string, std::string> gateways;
  for (int i = 1; i <= 12; ++i) {
    const std::string answer = house.ask(std::to_string(i));
    gateways[std::to_string(i)] = answer.substr(0, answer.find(' '));
  }
  return gateways;
}

// Time goes by in steps, as it does when somebody looks at the clock every second.
void pass(House& house, std::chrono::seconds time) {
  for (; time > 0s; time -= 1s) {
    house.pass(1s);
    app::Desk::Turn turn(*house.desk);
  }
}
}  // namespace

TEST_CASE("the silent go after dead_after, and with the last of them the assignment") {
  House house;
  house.report("1", "a");
  house.report("1", "b");
  pass(house, 60s);
  house.report("1", "b");
  pass(house, 30s);
  CHECK(app::clean_up(*house.desk) == 0);
  CHECK(house.report("1", "b") == "gxy1 1");
  pass(house, 90s);
  CHECK(app::clean_up(*house.desk) == 1);
  CHECK(house.row("1").empty());
  CHECK(house.count("sessions") == 0);
}

TEST_CASE("invariant 5: a cleanup removes no assignment within its grace, and none with a live session") {
  House house;
  house.ask("1");          // nobody has joined yet
  house.report("2", "a");  // occupied
  house.report("3", "b");
  house.ask("3");  // somebody is on the way
  app::leave_room(*house.desk, "3", "b");
  for (int i = 0; i < 119; ++i) {
    pass(house, 1s);
    if (i % 30 == 0) house.report("2", "a");
    REQUIRE(app::clean_up(*house.desk) == 0);
  }
  pass(house, 1s);
  CHECK(app::clean_up(*house.desk) == 2);
  CHECK(house.row("1").empty());
  CHECK(house.row("2") == "gxy2");
  CHECK(house.row("3").empty());
}

TEST_CASE("a sticky answer renews the grace") {
  House house;
  house.ask("1");
  pass(house, 100s);
  house.ask("1");
  pass(house, 100s);
  CHECK(app::clean_up(*house.desk) == 0);
  pass(house, 20s);
  CHECK(app::clean_up(*house.desk) == 1);
}

TEST_CASE("if most fall silent at once their rooms keep the assignments for join_grace") {
  House house;
  for (int i = 0; i < 10; ++i) house.report(std::to_string(i + 1), "s" + std::to_string(i));
  pass(house, 90s);
  CHECK(app::clean_up(*house.desk) == 0);
  CHECK(house.count("sessions") == 0);
  CHECK(house.ask("1") == "gxy1 sticky");
  pass(house, 120s);
  CHECK(app::clean_up(*house.desk) == 10);
}

TEST_CASE("mass silence keeps a room, too, in which somebody else is, and then leaves") {
  House house;
  for (int i = 0; i < 10; ++i) house.report("1", "s" + std::to_string(i));
  pass(house, 45s);
  house.report("1", "another server's");
  pass(house, 45s);
  CHECK(app::clean_up(*house.desk) == 0);
  CHECK_FALSE(app::leave_room(*house.desk, "1", "another server's").assignment_removed);
  CHECK(house.report("1", "s0") == "gxy1 1");
}

TEST_CASE("sessions that fall silent together are worked on in slices") {
  House house;
  constexpr int many = 5000;
  for (int i = 0; i < many; ++i) house.report(std::to_string(i % 50 + 1), "s" + std::to_string(i));
  pass(house, 90s);
  const auto live = [&] { return app::Desk::Turn(*house.desk).ledger().live_sessions(); };
  const std::size_t at_first = live();
  CHECK(at_first > many * 8 / 10);  // that turn has not taken all of them
  CHECK(live() < at_first);
  const int before = house.turns();
  app::expire_sessions(*house.desk);
  CHECK(house.turns() - before > 10);
  CHECK(live() == 0);
  CHECK(app::clean_up(*house.desk) == 0);  // as most fell silent at once
  CHECK(house.turns() - before > 80);
  CHECK(house.count("sessions") == 0);
}

TEST_CASE("the cleaning takes for silent what no turn has yet, and then judges how many that are") {
  House house;
  for (int i = 0; i < 1000; ++i) house.report(std::to_string(i % 50 + 1), "s" + std::to_string(i));
  pass(house, 90s);
  CHECK(app::clean_up(*house.desk) == 0);
  CHECK(house.ask("1") == "gxy1 sticky");
  CHECK(house.count("sessions") == 0);
}

TEST_CASE("nine are no mass, nor are ten of twenty") {
  House house;
  const int silent = GENERATE(9, 10);
  for (int i = 0; i < silent; ++i) house.report("1", "s" + std::to_string(i));
  pass(house, 45s);
  if (silent == 10) {
    for (int i = 0; i < 10; ++i) house.report("2", "t" + std::to_string(i));
  }
  pass(house, 45s);
  CHECK(app::clean_up(*house.desk) == 1);
}

TEST_CASE("time in which the process stood still counts for nobody") {
  House house;
  house.report("1", "a");
  pass(house, 80s);
  house.pass(5min);
  pass(house, 9s);
  CHECK(app::clean_up(*house.desk) == 0);
  CHECK(house.report("1", "b") == "gxy1 2");
}

TEST_CASE("five minutes of standing still cost no session and no grace, whoever comes first afterwards") {
  House house;
  const auto before = twelve_occupied(house);
  house.ask("20");  // nobody joins
  pass(house, 85s);
  house.pass(5min);
  const int first = GENERATE(0, 1, 2);
  if (first == 0) CHECK(app::clean_up(*house.desk) == 0);
  if (first == 1) CHECK(house.report("1", "s1") == before.at("1") + " 1");
  if (first == 2) CHECK(app::report_snapshot(*house.desk, {{"1", "s1", {}}}, 0ms).left == 11);
  CHECK(app::clean_up(*house.desk) == 0);
  CHECK(house.row("20") != "");
  CHECK(asked(house) == before);
}

TEST_CASE("the wall clock goes an hour forward or back, and only the times in listings show it") {
  House house;
  const auto before = twelve_occupied(house);
  house.ask("20");
  pass(house, 80s);
  const auto used = app::find_room(*house.desk, "20")->last_used_at;
  const auto jump = GENERATE(1h, -1h);
  house.turn_wall_clock(jump);
  pass(house, 9s);
  CHECK(app::clean_up(*house.desk) == 0);
  CHECK(asked(house) == before);
  CHECK(house.ask("20").find(" sticky") != std::string::npos);
  CHECK(*app::find_room(*house.desk, "20")->last_used_at - *used == jump + 89s);
  house.turn_wall_clock(-jump);
  pass(house, 1s);  // 90 s without a word are 90 s, whatever the wall said
  CHECK(app::find_room(*house.desk, "1")->users == 0);
  house.restart();
  CHECK(asked(house) == before);
}

TEST_CASE("a signaling server that was silent for three minutes finds every room where it was") {
  House house;
  const auto before = twelve_occupied(house);
  // The cleaning comes at any time within its minute.
  const auto first_cleaning = std::chrono::seconds{GENERATE(1, 30, 60)};
  pass(house, first_cleaning);
  CHECK(app::clean_up(*house.desk) == 0);
  for (auto silent = first_cleaning; silent + 60s <= 180s; silent += 60s) {
    pass(house, 60s);
    CHECK(app::clean_up(*house.desk) == 0);
  }
  pass(house, 60s - first_cleaning % 60s);
  CHECK(asked(house) == before);  // others ask meanwhile
  std::vector<app::SnapshotEntry> everybody;
  for (const auto& [room, gateway] : before) everybody.push_back({room, "s" + room, std::nullopt});
  const auto back = app::report_snapshot(*house.desk, everybody, 0ms);
  CHECK(back.entered == 12);
  CHECK(back.rejected.empty());
  pass(house, 60s);
  CHECK(app::clean_up(*house.desk) == 0);
  CHECK(asked(house) == before);
}

TEST_CASE("users who were forgotten bit by bit come back to where they say they are") {
  House house;
  // Keepalives were spread over half a minute, so the silence is told in two cleanings.
  for (int i = 1; i <= 12; ++i) {
    house.report(std::to_string(i), "s" + std::to_string(i), "gxy" + std::to_string(i % 4 + 1));
    pass(house, 3s);
  }
  pass(house, 66s);
  CHECK(app::clean_up(*house.desk) > 0);
  pass(house, 60s);
  app::clean_up(*house.desk);
  std::vector<app::SnapshotEntry> everybody;
  for (int i = 1; i <= 12; ++i) {
    everybody.push_back({std::to_string(i), "s" + std::to_string(i), "gxy" + std::to_string(i % 4 + 1)});
  }
  CHECK(app::report_snapshot(*house.desk, everybody, 0ms).entered == 12);
  for (int i = 1; i <= 12; ++i) CHECK(house.row(std::to_string(i)) == "gxy" + std::to_string(i % 4 + 1));
}

TEST_CASE("after a restart a remembered session has a full dead_after") {
  House house;
  house.report("1", "a");
  pass(house, 80s);
  house.restart();
  pass(house, 89s);
  CHECK(app::clean_up(*house.desk) == 0);
  CHECK(house.report("1", "b") == "gxy1 2");
}

TEST_CASE("last uses are written behind, of however many rooms") {
  House house;
  house.configured.options.unknown_rooms = domain::UnknownRooms::accept;
  house.restart();
  constexpr int rooms = 1100;  // more than two slices
  for (int room = 0; room < rooms; ++room) house.ask(std::to_string(room));
  pass(house, 1s);
  for (int room = 0; room < rooms; ++room) house.ask(std::to_string(room));
  app::write_last_used(*house.desk, *house.journal);
  house.journal->flush();
  CHECK(house.text("SELECT count(*) FROM room_server_assignments WHERE last_used_at > assigned_at") ==
        std::to_string(rooms));
  // Each once: nothing is left to be written.
  CHECK(app::Desk::Turn(*house.desk).ledger().take_touched().empty());
}

TEST_CASE("a room that is used while last uses are being written is named again") {
  House house;
  house.ask("1");
  pass(house, 1s);
  house.ask("1");
  domain::Ledger& ledger = app::Desk::Turn(*house.desk).ledger();
  CHECK(ledger.take_touched() == std::vector<std::string>{"1"});
  house.ask("1");
  CHECK(ledger.take_touched().empty());  // its turn is still to come, and takes the newer time
  CHECK(ledger.take_last_used("1"));
  CHECK(!ledger.take_last_used("1"));
  house.ask("1");
  CHECK(ledger.take_touched() == std::vector<std::string>{"1"});
}
