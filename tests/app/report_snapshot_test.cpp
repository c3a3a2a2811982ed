#include "app/report_snapshot.h"

#include "app/lone_sidecar.h"
#include "catch.h"

using namespace std::chrono_literals;
using Entries = std::vector<app::SnapshotEntry>;

namespace {
std::vector<std::string> codes(const app::SnapshotResult& result) {
  std::vector<std::string> all;
  for (const auto& r : result.rejected) all.push_back(std::to_string(r.entry) + " " + std::string(r.error));
  return all;
}
}  // namespace

TEST_CASE("a snapshot replaces all sessions: missing ones leave, new ones enter, moves count as neither") {
  LoneSidecar sidecar;
  sidecar.report("1", "stays");
  sidecar.report("1", "leaves");
  sidecar.report("1", "moves");
  sidecar.pass(1s);
  const auto result = app::report_snapshot(
      *sidecar.registry, Entries{{"1", "stays", {}}, {"2", "moves", {}}, {"3", "enters", "gxy4"}}, 0ms);
  CHECK(result.sessions == 3);
  CHECK(result.entered == 1);
  CHECK(result.left == 1);
  CHECK(result.rejected.empty());
  CHECK(sidecar.row("3") == "gxy4");
}

TEST_CASE("invalid entries of a snapshot are rejected one by one") {
  LoneSidecar sidecar;
  const auto result = app::report_snapshot(
      *sidecar.registry,
      Entries{{"1", "a", {}}, {"nowhere", "b", {}}, {{}, "c", {}}, {"1", {}, {}}, {"..", "d", {}}, {"1", "", {}}}, 0ms);
  CHECK(result.entered == 1);
  CHECK(codes(result) == std::vector<std::string>{"1 room_not_found", "2 invalid_room", "3 invalid_session",
                                                  "4 invalid_room", "5 invalid_session"});
}

TEST_CASE("the last entry of a session listed twice counts") {
  LoneSidecar sidecar;
  const auto result = app::report_snapshot(*sidecar.registry, Entries{{"1", "a", {}}, {"2", "a", {}}}, 0ms);
  CHECK(result.entered == 1);
  CHECK(sidecar.report("2", "a") == sidecar.ask("2").substr(0, 4) + " 1");
  CHECK(sidecar.row("1").empty());
}

TEST_CASE("a session that reported after the snapshot was taken stays where it reported") {
  LoneSidecar sidecar;
  sidecar.report("1", "old");
  sidecar.pass(4s);
  sidecar.report("1", "fresh");
  sidecar.pass(1s);
  const auto result = app::report_snapshot(*sidecar.registry, Entries{{"2", "fresh", {}}}, 2000ms);
  CHECK(result.left == 1);
  CHECK(result.sessions == 1);
  CHECK(sidecar.report("1", "fresh") == "gxy1 1");
}

TEST_CASE("a room emptied by a snapshot keeps its assignment for join_grace") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  sidecar.pass(1s);
  const auto result = app::report_snapshot(*sidecar.registry, Entries{}, 0ms);
  CHECK(result.left == 1);
  CHECK(sidecar.row("1") == "gxy1");
  CHECK(sidecar.ask("1") == "gxy1 sticky");
}

TEST_CASE("a snapshot of thousands is applied whole") {
  LoneSidecar sidecar;
  Entries entries;
  for (int i = 0; i < 5000; ++i) entries.push_back({std::to_string(i % 50 + 1), "s" + std::to_string(i), {}});
  const auto result = app::report_snapshot(*sidecar.registry, entries, 0ms);
  CHECK(result.sessions == 5000);
  CHECK(result.entered == 5000);
  CHECK(sidecar.count("sessions") == 5000);
  CHECK(sidecar.count("room_server_assignments") == 50);
}

TEST_CASE("entries of a snapshot that cannot be made durable are rejected") {
  LoneSidecar sidecar;
  sidecar.ask("1");
  sidecar.lock_file();
  const auto result = app::report_snapshot(*sidecar.registry, Entries{{"1", "a", {}}, {"2", "b", {}}}, 0ms);
  sidecar.unlock_file();
  CHECK(result.entered == 1);
  CHECK(codes(result) == std::vector<std::string>{"1 storage_unavailable"});
}

TEST_CASE("a listed session stays in its old room if its new room cannot be assigned") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  sidecar.pass(1s);
  sidecar.lock_file();
  const auto result = app::report_snapshot(*sidecar.registry, Entries{{"2", "a", {}}}, 0ms);
  sidecar.unlock_file();
  CHECK(codes(result) == std::vector<std::string>{"0 storage_unavailable"});
  CHECK(result.left == 0);
  CHECK(result.sessions == 1);
}

TEST_CASE("entries of a snapshot above sessions.max are rejected one by one") {
  LoneSidecar sidecar;
  app::Configured few = sidecar.configured;
  few.options.max_sessions = 3;
  REQUIRE(sidecar.reload(few).problems.empty());
  sidecar.report("1", "a");
  const Entries entries{{"1", "a", {}}, {"1", "b", {}}, {"2", "c", {}}, {"3", "d", {}}, {"3", "e", {}}};
  const auto result = app::report_snapshot(*sidecar.registry, entries, 0ms);
  CHECK(result.sessions == 3);
  CHECK(result.entered == 2);
  CHECK(codes(result) == std::vector<std::string>{"3 too_many_sessions", "4 too_many_sessions"});
  CHECK(sidecar.row("3").empty());
}

TEST_CASE("sessions that leave by a snapshot make space under sessions.max for its new ones") {
  LoneSidecar sidecar;
  app::Configured few = sidecar.configured;
  few.options.max_sessions = 3;
  REQUIRE(sidecar.reload(few).problems.empty());
  for (const char* session : {"a", "b", "c"}) sidecar.report("1", session);
  sidecar.pass(1s);
  const auto renamed =
      app::report_snapshot(*sidecar.registry, Entries{{"1", "d", {}}, {"2", "e", {}}, {"2", "f", {}}}, 0ms);
  CHECK(renamed.entered == 3);
  CHECK(renamed.left == 3);
  CHECK(renamed.sessions == 3);
  CHECK(renamed.rejected.empty());
  CHECK_FALSE(sidecar.row("1").empty());
  CHECK(sidecar.registry->counts().session_refusals[domain::Refusal::too_many_sessions].value() == 0);

  sidecar.pass(1s);
  const Entries more{{"1", "d", {}}, {"1", "g", {}}, {"1", "h", {}}, {"3", "i", {}}};
  const auto grown = app::report_snapshot(*sidecar.registry, more, 0ms);
  CHECK(grown.sessions == 3);
  CHECK(codes(grown) == std::vector<std::string>{"3 too_many_sessions"});
  CHECK(sidecar.row("3").empty());
}

TEST_CASE("a snapshot looks at unlisted sessions in slices, once each") {
  LoneSidecar sidecar;
  constexpr int many = 5000;
  for (int i = 0; i < many; ++i) sidecar.report("1", "s" + std::to_string(i));
  sidecar.pass(1s);
  const int before = sidecar.clock_reads();
  const auto result = app::report_snapshot(*sidecar.registry, Entries{{"1", "s0", {}}}, 4s);  // all have reported since
  CHECK(result.left == 0);
  CHECK(sidecar.clock_reads() - before > 5);
  CHECK(sidecar.clock_reads() - before < 100);
}
