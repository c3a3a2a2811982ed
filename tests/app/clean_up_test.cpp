#include "app/clean_up.h"

#include <string>
#include <vector>

#include "app/house.h"
#include "catch.h"

using namespace std::chrono_literals;

namespace {
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
  house.ask("1");              // nobody has joined yet
  house.report("2", "a");      // occupied
  house.report("3", "b");
  house.ask("3");              // somebody is on the way
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
