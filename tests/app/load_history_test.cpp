#include "app/load_history.h"

#include "catch.h"

using app::GatewayListing;
using app::LoadHistory;
using namespace std::chrono_literals;

namespace {

constexpr domain::WallTime start{std::chrono::hours{24 * 365}};

GatewayListing gateway(const std::string& name, std::int64_t load, std::int64_t users = 0) {
  GatewayListing listing{};
  listing.name = name;
  listing.load = load;
  listing.users = users;
  return listing;
}

// "10 - 20": the loads of a gateway, "-" where it was not there; or "none".
std::string loads(const LoadHistory& history, const std::string& name) {
  for (const auto& series : history.last_hour().gateways) {
    if (series.gateway != name) continue;
    std::string text;
    for (const auto& reading : series.readings) {
      text += (text.empty() ? "" : " ") + (reading ? std::to_string(reading->load) : "-");
    }
    return text;
  }
  return "none";
}

}  // namespace

TEST_CASE("the history holds each gateway's load and users, oldest first") {
  LoadHistory history;
  CHECK(history.last_hour().times.empty());
  history.add(start, {gateway("gxy1", 10, 3), gateway("gxy2", 0)});
  history.add(start + 30s, {gateway("gxy1", 20, 4), gateway("gxy2", 5)});
  CHECK(loads(history, "gxy1") == "10 20");
  CHECK(loads(history, "gxy2") == "0 5");
  CHECK(history.last_hour().times == std::vector{start, start + 30s});
  CHECK(history.last_hour().gateways.front().readings.back()->users == 4);
}

TEST_CASE("the history reaches back an hour, and no further") {
  LoadHistory history;
  for (int i = 0; i < 500; ++i) history.add(start + i * 30s, {gateway("gxy1", i)});
  const auto hour = history.last_hour();
  REQUIRE(hour.times.size() == LoadHistory::most_samples);
  CHECK(hour.times.back() == start + 499 * 30s);
  CHECK(hour.times.front() == start + 380 * 30s);
  CHECK(hour.gateways.front().readings.front()->load == 380);
}

TEST_CASE("samples that come too often displace the oldest") {
  LoadHistory history;
  for (int i = 0; i < 1000; ++i) history.add(start + i * 1s, {gateway("gxy1", i)});
  CHECK(history.last_hour().times.size() == LoadHistory::most_samples);
  CHECK(history.last_hour().times.front() == start + 880s);
}

TEST_CASE("a gateway has gaps while it is absent, and is forgotten after an hour") {
  LoadHistory history;
  history.add(start, {gateway("gxy1", 1)});
  history.add(start + 30s, {gateway("gxy1", 2), gateway("gxy2", 7)});
  history.add(start + 60s, {gateway("gxy2", 8)});
  CHECK(loads(history, "gxy1") == "1 2 -");
  CHECK(loads(history, "gxy2") == "- 7 8");
  history.add(start + 1h + 29s, {gateway("gxy2", 9)});
  CHECK(loads(history, "gxy1") == "2 - -");
  history.add(start + 1h + 30s, {gateway("gxy2", 9)});
  CHECK(loads(history, "gxy1") == "none");
  CHECK(loads(history, "gxy2") == "8 9 9");
}

TEST_CASE("a clock that jumps ahead leaves a gap, and one set back removes samples of the future") {
  LoadHistory history;
  history.add(start, {gateway("gxy1", 1)});
  history.add(start + 40min, {gateway("gxy1", 2)});
  CHECK(loads(history, "gxy1") == "1 2");
  history.add(start + 20min, {gateway("gxy1", 3)});
  CHECK(loads(history, "gxy1") == "1 3");
  CHECK(history.last_hour().times == std::vector<domain::WallTime>{start, start + 20min});
  history.add(start + 20min, {gateway("gxy1", 4)});
  CHECK(loads(history, "gxy1") == "1 4");
  history.add(start + 5h, {gateway("gxy1", 5)});
  CHECK(loads(history, "gxy1") == "5");
}

TEST_CASE("ever-changing names cannot make the history grow") {
  LoadHistory history;
  for (int i = 0; i < 10; ++i) {
    std::vector<GatewayListing> gateways;
    for (int j = 0; j < 1000; ++j) gateways.push_back(gateway("g" + std::to_string(i * 1000 + j), j));
    history.add(start + i * 30s, gateways);
  }
  CHECK(history.last_hour().gateways.size() == LoadHistory::most_gateways);
  for (const auto& series : history.last_hour().gateways) REQUIRE(series.readings.size() == 10);
}

TEST_CASE("loads above the largest storable value are cut, and are not taken for absence") {
  LoadHistory history;
  history.add(start, {gateway("gxy1", std::int64_t{1} << 40), gateway("gxy2", -5)});
  CHECK(loads(history, "gxy1") == "4294967294");
  CHECK(loads(history, "gxy2") == "0");
}
