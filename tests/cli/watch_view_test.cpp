#include "cli/watch_view.h"
#include "json/value.h"

#include <sstream>

#include "catch.h"
#include "cli/table.h"

namespace {

std::string gateway(const std::string& name, int load, const std::string& more = "") {
  return R"({"name":")" + name + R"(","state":"up","available":true,"disabled":false,"draining":false,)" +
         R"("regions":["IL"],"rooms":)" + std::to_string(load / 10) + R"(,"users":1,"load":)" + std::to_string(load) +
         R"(,"capacity":100)" + more + "}";
}

std::vector<json::Value> list(const std::vector<std::string>& texts) {
  std::vector<json::Value> items;
  for (const auto& text : texts) items.push_back(*json::Value::parse(text));
  return items;
}

std::vector<std::string> fleet(int size) {
  std::vector<std::string> texts;
  for (int i = 1; i <= size; ++i) texts.push_back(gateway("gxy" + std::to_string(i), i));
  return texts;
}

cli::Watched watched(const std::vector<std::string>& gateways, const std::vector<std::string>& decisions = {}) {
  cli::Watched watched;
  watched.address = "127.0.0.1:8082";
  watched.now = *domain::wall_time_from("2026-11-23T22:01:02.003Z");
  watched.answers = cli::StatusAnswers{true, "ok", {}, list(gateways), list(decisions), {}, 0, {}, {}};
  return watched;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

constexpr cli::Space wide{120, 30, false};

}  // namespace

TEST_CASE("the watched fleet is shown with mode, headroom, bars and decisions") {
  const auto text =
      watch_view(watched({gateway("gxy1", 50), gateway("gxy2", 100, R"(,"draining":true)")},
                         {R"({"time":"2026-11-23T22:00:59.000Z","room":"2171","janus":"gxy1","reason":"assigned"})",
                          R"({"time":"2026-11-23T22:00:58.000Z","room":"x","error":"room_not_found","times":3})",
                          R"({"time":"2026-11-23T22:00:57.000Z","room":"7","left":"gxy2","asked_by":"operator"})"}),
                 wide);
  CHECK(has(text, "room-sidecar, scale mode, ok   22:01:02 UTC   127.0.0.1:8082\n"));
  CHECK(has(text, "15 rooms, 2 users; headroom 50 users: IL 50\n"));
  CHECK(has(text, "50/100"));
  CHECK(has(text, "draining"));
  CHECK(has(text, "22:00:59  2171 placed on gxy1 (assigned)\n"));
  CHECK(has(text, "22:00:58  x refused (room_not_found), 3 times\n"));
  CHECK(has(text, "22:00:57  7 released from gxy2\n"));
  CHECK_FALSE(has(text, "\x1b"));
}

TEST_CASE("the watch view never takes more space than the terminal has") {
  auto all = fleet(60);
  all.push_back(gateway("名前名前名前名前名前名前", 5));
  auto some = watched(all, {R"({"time":"2026-11-23T22:00:59.000Z","room":")" + std::string(300, 'r') +
                            R"(","janus":"gxy1","reason":"assigned"})"});
  some.answers->reasons = {std::string(500, 'x')};
  some.out_of_reach_since = some.now;
  some.problem = std::string(500, 'y');
  for (const std::size_t columns : {1u, 5u, 20u, 40u, 79u, 80u, 200u}) {
    for (const std::size_t rows : {1u, 2u, 5u, 10u, 24u, 60u, 100u}) {
      const auto lines = lines_of(watch_view(some, {columns, rows, false}));
      INFO(columns << " x " << rows);
      CHECK(lines.size() <= rows);
      for (const auto& line : lines) CHECK(cli::display_width(line) <= columns);
    }
  }
}

TEST_CASE("gateways with problems come first where not all fit, and the rest are counted") {
  auto gateways = fleet(60);
  gateways[41] = gateway("dead", 0, R"(,"state":"down")");
  gateways[50] = gateway("leaving", 0, R"(,"draining":true)");
  const auto lines = lines_of(watch_view(watched(gateways), {80, 24, false}));
  REQUIRE(lines.size() == 24);
  CHECK(has(lines[5], "dead"));
  CHECK(has(lines[6], "leaving"));
  CHECK(has(lines[7], "gxy60"));
  CHECK(lines[23] == "… and 42 more");
}

TEST_CASE("gateways keep their order where all fit") {
  const auto lines = lines_of(watch_view(watched({gateway("a", 0), gateway("b", 0, R"(,"state":"down")")}), wide));
  CHECK(has(lines[5], "a "));
  CHECK(has(lines[6], "b "));
}

TEST_CASE("a watched sidecar out of reach is shown with the time and the cause") {
  auto lost = watched({gateway("gxy1", 50)});
  lost.out_of_reach_since = domain::wall_time_from("2026-11-23T21:59:00.000Z");
  lost.problem = "refused";
  CHECK(has(watch_view(lost, wide), "Cannot reach the sidecar since 21:59:00 UTC; what follows is older. refused\n"));
  lost.answers.reset();
  CHECK(has(watch_view(lost, wide), "Cannot reach the sidecar since 21:59:00 UTC. refused\n"));
}

TEST_CASE("hostile names are shown escaped, and colours appear on request only") {
  const auto hostile = watched({gateway("a\\u001b[31m\\n", 100)},
                               {R"({"time":"2026-11-23T22:00:59.000Z","room":"\u001b]0;x\u0007","janus":"g"})"});
  CHECK_FALSE(has(watch_view(hostile, wide), "\x1b"));
  CHECK(has(watch_view(hostile, wide), "\\x1b]0;x\\x07"));
  CHECK(has(watch_view(hostile, {80, 24, true}), "\x1b[33m"));
}

TEST_CASE("the trend shows the last hour and now in as many blocks as fit") {
  const cli::Trend trend(
      *json::Value::parse(R"({"gateways":[{"name":"gxy1","load":[null,0,0,50,100],"users":[null,1,2,3,4]}]})"));
  CHECK(trend.line("gxy1", "load", 100, 100, 8) == "▁▁▄██");
  CHECK(trend.line("gxy1", "load", 100, 100, 2) == "▁█");  // all of it, the most of each half
  CHECK(trend.line("gxy1", "users", 8, 100, 8) == "▁▁▂▃▅");
  CHECK(trend.line("gxy2", "load", 7, 100, 8) == "▁");
  CHECK(trend.line("gxy1", "load", 7, 100, 0).empty());
  auto one = watched({gateway("gxy1", 100)});
  one.answers->trend = trend;
  CHECK(has(watch_view(one, wide), "▁▁▄██"));
}

TEST_CASE("problems of gateways are shown as sentences") {
  auto bad = watched({gateway("a", 0, R"(,"state":"down")"), gateway("b", 0, R"(,"state":"suspect")"),
                      gateway("c", 100), gateway("d", 0, R"(,"draining":true)")});
  CHECK(has(watch_view(bad, wide), "! a is down.\n! b may be down.\n! c is full.\n"));
  CHECK_FALSE(has(watch_view(bad, wide), "No listed gateway"));  // b does, as long as no other gateway can
  bad.answers->gateways = list({gateway("a", 0, R"(,"state":"down")"), gateway("d", 0, R"(,"draining":true)")});
  CHECK(has(watch_view(bad, wide), "! a is down.\n! No listed gateway can take new rooms now.\n"));
  bad.answers->gateways.clear();
  for (int i = 1; i <= 8; ++i) {
    bad.answers->gateways.push_back(*json::Value::parse(gateway("g" + std::to_string(i), 0, R"(,"state":"down")")));
  }
  CHECK(has(watch_view(bad, wide), "! g1, g2, g3, g4, g5 and 3 more are down.\n"));
}

TEST_CASE("split rooms are shown, and counted where they are many") {
  auto split = watched({gateway("a", 0)});
  const std::string one =
      R"({"room":"7","janus":"a","gateways":[{"name":"a","participants":2},{"name":"b","participants":1}],)"
      R"("since":"2026-11-23T21:59:00.000Z"})";
  split.answers->splits = list({one});
  CHECK(
      has(watch_view(split, wide), "! Split: 7 is answered with a, but people are on a (2), b (1), since 21:59:00\n"));
  split.answers->splits = list({one, one, one, one, one, one, one});
  CHECK(has(watch_view(split, wide), "! 3 more rooms are split; `room-sidecar splits` lists them\n"));
  CHECK(has(watch_view(split, {80, 10, false}), "! 7 rooms are split;"));
}

TEST_CASE("the watch view shows users but no load in legacy mode") {
  auto legacy = watched({gateway("gxy1", 100), gateway("gxy2", 10)});
  legacy.answers->scale = false;
  const auto text = watch_view(legacy, wide);
  CHECK(has(text, "11 rooms, 2 users\n"));
  for (const char* word : {"eadroom", "LOAD", "USED", "100", "is full", "█", "No gateway"}) {
    INFO(word);
    CHECK_FALSE(has(text, word));
  }
  CHECK(has(text, "USERS"));
}

TEST_CASE("a sidecar that refuses is shown differently from one that is unreachable") {
  auto refusing = watched({gateway("gxy1", 50)});
  refusing.out_of_reach_since = domain::wall_time_from("2026-11-23T21:59:00.000Z");
  refusing.is_refused = true;
  refusing.problem = "This needs a token";
  CHECK(has(watch_view(refusing, wide),
            "The sidecar refuses to answer since 21:59:00 UTC; what follows is older. This needs a token\n"));
}

TEST_CASE("a fleet takes one line of the watch view") {
  auto sharing = watched({gateway("gxy1", 50)});
  sharing.answers->cluster =
      json::Value::parse(R"({"engine":"etcd","state":"live","sidecars":[{"id":"a"},{"id":"b"}],)"
                         R"("members":[{"endpoint":"x","problem":null},{"endpoint":"y","problem":"no answer"}]})");
  CHECK(has(watch_view(sharing, wide), "\netcd live, 2 sidecars, 1 of 2 members well\n"));
  CHECK(has(watch_view(sharing, {120, 30, true}), "\x1b[33metcd live, 2 sidecars"));
  sharing.answers->cluster = json::Value::parse(R"({"engine":"none","state":null,"sidecars":[],"members":[]})");
  CHECK_FALSE(has(watch_view(sharing, wide), "members well"));
}
