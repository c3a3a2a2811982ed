#include <algorithm>
#include <map>
#include <thread>
#include <vector>

#include "app/clean_up.h"
#include "app/house.h"
#include "app/report_snapshot.h"
#include "catch.h"

namespace {

// The same question from many threads at once.
std::vector<std::string> ask_together(House& house, const std::vector<std::string>& rooms) {
  std::vector<std::string> answers(rooms.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    threads.emplace_back([&, i] { answers[i] = house.ask(rooms[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  return answers;
}

}  // namespace

TEST_CASE("any number of first requests at once give one answer and one row, and one reason") {
  House house;
  for (int round = 1; round <= 20; ++round) {
    const std::string room = std::to_string(round);
    const auto answers = ask_together(house, std::vector<std::string>(16, room));
    const std::string gateway = answers[0].substr(0, 4);
    std::map<std::string, int> said;
    for (const std::string& answer : answers) ++said[answer];
    CHECK(said[gateway + " assigned"] == 1);
    CHECK(said[gateway + " sticky"] == 15);
    CHECK(house.row(room) == gateway);
  }
  CHECK(house.count("room_server_assignments") == 20);
}

TEST_CASE("new rooms that arrive at once spread as if they came one by one") {
  House house;
  std::vector<std::string> rooms;
  for (int i = 1; i <= 40; ++i) rooms.push_back(std::to_string(i));
  std::map<std::string, int> spread;
  for (const std::string& answer : ask_together(house, rooms)) ++spread[answer];
  for (int i = 1; i <= 4; ++i) CHECK(spread["gxy" + std::to_string(i) + " assigned"] == 10);
}

TEST_CASE("an answer leaves only after its assignment is in the file, and a failed one is undone") {
  House house;
  CHECK(house.ask("1") == "gxy1 assigned");
  house.lock_file();
  const auto answers = ask_together(house, {"2", "2", "3", "1"});
  CHECK(answers[0] == "storage_unavailable");
  CHECK(answers[1] == "storage_unavailable");
  CHECK(answers[2] == "storage_unavailable");
  CHECK(answers[3] == "gxy1 sticky");
  // The last attempt may still be under way; whatever comes of it, memory and file say the same.
  house.unlock_file();
  const std::string gateway = house.ask("2").substr(0, 4);
  CHECK(house.row("2") == gateway);
  house.ask("3");
  CHECK(house.count("room_server_assignments") == 3);
  app::Desk::Turn turn(*house.desk);
  std::int64_t booked = 0;
  for (const std::int64_t rooms : turn.ledger().rooms_by_gateway()) booked += rooms;
  CHECK(booked == 3);
}

TEST_CASE("a booking whose commit failed counts no more") {
  House house;
  house.lock_file();
  CHECK(house.ask("2") == "storage_unavailable");
  house.let_claims_end();
  {
    app::Desk::Turn turn(*house.desk);
    CHECK(turn.ledger().find("2") == nullptr);
  }
  house.unlock_file();
  CHECK(house.row("2").empty());
  CHECK(house.ask("3") == "gxy1 assigned");
}

TEST_CASE("invariant 2: what was answered is in the file, and is answered again after a restart") {
  House house;
  std::map<std::string, std::string> answered;
  for (int i = 1; i <= 20; ++i) {
    const std::string room = std::to_string(i);
    answered[room] = house.ask(room).substr(0, 4);
    // read by another connection, without waiting for anything
    CHECK(house.row(room) == answered[room]);
  }
  house.restart();
  for (const auto& [room, gateway] : answered) CHECK(house.ask(room) == gateway + " sticky");
}

TEST_CASE("invariant 4: legacy mode writes nothing to the database") {
  House house;
  house.ask("1");
  house.pass(std::chrono::seconds{1});
  house.report("1", "s");  // a use that is not yet in the file
  app::Configured legacy = house.configured;
  legacy.options.scale = false;
  REQUIRE(house.reload(legacy).problems.empty());
  house.was_written();
  CHECK(house.ask("2") == "gxy1 default");
  CHECK(house.report("2", "t") == "gxy1 1");
  app::leave_room(*house.desk, "2", "t");
  app::leave_room(*house.desk, "1", "s");
  app::report_snapshot(*house.desk, {{"3", "u", "gxy4"}}, std::chrono::milliseconds{0});
  app::write_last_used(*house.desk, *house.journal);
  app::clean_up(*house.desk);
  CHECK_FALSE(house.was_written());
  CHECK(house.count("room_server_assignments") == 1);
  // The same in scale mode does: the watcher sees it.
  REQUIRE(house.reload(house.configured).problems.empty());
  house.was_written();
  house.report("2", "t");
  CHECK(house.was_written());
}

TEST_CASE("explaining changes nothing") {
  House house;
  const auto explanation = app::explain_room(*house.desk, "1", "");
  CHECK(explanation.decision.gateway == "gxy1");
  CHECK(explanation.candidates.size() == 4);
  CHECK(house.count("room_server_assignments") == 0);
  CHECK(house.ask("1") == "gxy1 assigned");
}
