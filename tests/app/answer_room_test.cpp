#include <algorithm>
#include <map>
#include <thread>
#include <vector>

#include "app/clean_up.h"
#include "app/lone_sidecar.h"
#include "app/report_snapshot.h"
#include "catch.h"

using namespace std::chrono_literals;

namespace {

// The same request from many threads at once.
std::vector<std::string> ask_together(LoneSidecar& sidecar, const std::vector<std::string>& rooms) {
  std::vector<std::string> answers(rooms.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    threads.emplace_back([&, i] { answers[i] = sidecar.ask(rooms[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  return answers;
}

}  // namespace

TEST_CASE("simultaneous first requests for a room get one answer, with one row and one decision") {
  LoneSidecar sidecar;
  for (int round = 1; round <= 20; ++round) {
    const std::string room = std::to_string(round);
    const auto answers = ask_together(sidecar, std::vector<std::string>(16, room));
    const std::string gateway = answers[0].substr(0, 4);
    std::map<std::string, int> times;
    for (const std::string& answer : answers) ++times[answer];
    CHECK(times[gateway + " assigned"] == 1);
    CHECK(times[gateway + " sticky"] == 15);
    CHECK(sidecar.row(room) == gateway);
  }
  CHECK(sidecar.count("room_server_assignments") == 20);
}

TEST_CASE("new rooms that arrive at once spread as if they came one by one") {
  LoneSidecar sidecar;
  std::vector<std::string> rooms;
  for (int i = 1; i <= 40; ++i) rooms.push_back(std::to_string(i));
  std::map<std::string, int> spread;
  for (const std::string& answer : ask_together(sidecar, rooms)) ++spread[answer];
  for (int i = 1; i <= 4; ++i) CHECK(spread["gxy" + std::to_string(i) + " assigned"] == 10);
}

TEST_CASE("an answer leaves only after its assignment is in the file, and a failed one is undone") {
  LoneSidecar sidecar;
  CHECK(sidecar.ask("1") == "gxy1 assigned");
  sidecar.lock_file();
  const auto answers = ask_together(sidecar, {"2", "2", "3", "1"});
  CHECK(answers[0] == "storage_unavailable");
  CHECK(answers[1] == "storage_unavailable");
  CHECK(answers[2] == "storage_unavailable");
  CHECK(answers[3] == "gxy1 sticky");
  // The last attempt may still be under way. Whatever its outcome, memory and file agree.
  sidecar.unlock_file();
  const std::string gateway = sidecar.ask("2").substr(0, 4);
  CHECK(sidecar.row("2") == gateway);
  sidecar.ask("3");
  CHECK(sidecar.count("room_server_assignments") == 3);
  app::Registry::Transaction transaction(*sidecar.registry);
  std::int64_t booked = 0;
  for (const std::int64_t rooms : transaction.ledger().rooms_by_gateway()) booked += rooms;
  CHECK(booked == 3);
}

TEST_CASE("a booking counts no more after its commit failed") {
  LoneSidecar sidecar;
  sidecar.lock_file();
  CHECK(sidecar.ask("2") == "storage_unavailable");
  sidecar.let_claims_end();
  {
    app::Registry::Transaction transaction(*sidecar.registry);
    CHECK(transaction.ledger().find("2") == nullptr);
  }
  sidecar.unlock_file();
  CHECK(sidecar.row("2").empty());
  CHECK(sidecar.ask("3") == "gxy1 assigned");
}

TEST_CASE("invariant 2: an answered assignment is in the file, and is answered again after a restart") {
  LoneSidecar sidecar;
  std::map<std::string, std::string> answered;
  for (int i = 1; i <= 20; ++i) {
    const std::string room = std::to_string(i);
    answered[room] = sidecar.ask(room).substr(0, 4);
    // read by another connection, without waiting for anything
    CHECK(sidecar.row(room) == answered[room]);
  }
  sidecar.restart();
  for (const auto& [room, gateway] : answered) CHECK(sidecar.ask(room) == gateway + " sticky");
}

TEST_CASE("invariant 4: legacy mode writes nothing to the database") {
  LoneSidecar sidecar;
  sidecar.ask("1");
  sidecar.pass(std::chrono::seconds{1});
  sidecar.report("1", "s");  // a use that is not yet in the file
  app::Configured legacy = sidecar.configured;
  legacy.options.scale = false;
  REQUIRE(sidecar.reload(legacy).problems.empty());
  sidecar.was_written();
  CHECK(sidecar.ask("2") == "gxy1 default");
  CHECK(sidecar.report("2", "t") == "gxy1 1");
  app::leave_room(*sidecar.registry, "2", "t");
  app::leave_room(*sidecar.registry, "1", "s");
  app::report_snapshot(*sidecar.registry, {{"3", "u", "gxy4"}}, std::chrono::milliseconds{0});
  app::write_last_used(*sidecar.registry, *sidecar.journal);
  app::clean_up(*sidecar.registry);
  CHECK_FALSE(sidecar.was_written());
  CHECK(sidecar.count("room_server_assignments") == 1);
  // The same in scale mode does: the watcher sees it.
  REQUIRE(sidecar.reload(sidecar.configured).problems.empty());
  sidecar.was_written();
  sidecar.report("2", "t");
  CHECK(sidecar.was_written());
}

TEST_CASE("an explanation changes nothing") {
  LoneSidecar sidecar;
  const auto explanation = app::explain_room(*sidecar.registry, "1", "");
  CHECK(explanation.gateway == "gxy1");
  CHECK(explanation.candidates.size() == 4);
  CHECK(sidecar.count("room_server_assignments") == 0);
  CHECK(sidecar.ask("1") == "gxy1 assigned");
}

TEST_CASE("an explanation says what is answered now, also when nothing but time has passed") {
  LoneSidecar sidecar;
  sidecar.report("7", "s", "gxy2");
  app::Configured pinned = sidecar.configured;
  pinned.options.pins.push_back({"7", "gxy3", ""});
  REQUIRE(sidecar.reload(pinned).problems.empty());
  const auto explained = [&] { return app::explain_room(*sidecar.registry, "7", "").gateway; };
  CHECK(explained() == "gxy2");
  for (auto silent = 0s; silent <= sidecar.configured.options.dead_after; silent += 4s) {
    sidecar.pass(4s);
    const app::Registry::View view(*sidecar.registry);  // it reads the clock, which would take a longer gap for a pause
  }
  CHECK(explained() == "gxy3");
  CHECK(sidecar.ask("7") == "gxy3 pinned");
}
