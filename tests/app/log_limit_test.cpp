#include "app/log_limit.h"

#include "app/event_log.h"
#include "catch.h"

using app::LogLimit;
using namespace std::chrono_literals;

TEST_CASE("a flood of one event is limited, and hides no other") {
  LogLimit limit;
  const LogLimit::Clock::time_point start{1h};
  int taken = 0;
  for (int i = 0; i < 5000; ++i) taken += limit.takes("Room refused", start);
  CHECK(taken == static_cast<int>(LogLimit::at_once));
  CHECK(limit.takes("Gateway is down", start));
  const auto reported = limit.left_out(start);
  REQUIRE(reported.size() == 1);
  CHECK(reported[0].event == "Room refused");
  CHECK(reported[0].number == 4900);
}

TEST_CASE("a flood that goes on gets some lines a second, and is told of now and then") {
  LogLimit limit;
  LogLimit::Clock::time_point now{1h};
  int taken = 0;
  int reported = 0;
  std::int64_t left_out = 0;
  for (int i = 0; i < 60'000; ++i, now += 1ms) {
    taken += limit.takes("E", now);
    for (const auto& one : limit.left_out(now)) {
      ++reported;
      left_out += one.number;
    }
  }
  CHECK(taken >= 690);
  CHECK(taken <= 701);
  CHECK(reported == 6);
  for (const auto& one : limit.all_left_out()) left_out += one.number;
  CHECK(taken + left_out == 60'000);
  CHECK(limit.all_left_out().empty());
}

TEST_CASE("an event may have a limit of its own") {
  LogLimit limit;
  const LogLimit::Clock::time_point start{};  // the machine has just started
  int taken = 0;
  for (int i = 0; i < 5000; ++i) taken += limit.takes("Session reports another gateway", start, 1000);
  CHECK(taken == 1000);
  for (int i = 0; i < 5000; ++i) taken += limit.takes("Session reports another gateway", start + 1h, 1000);
  CHECK(taken == 2000);
}

TEST_CASE("what is left out elsewhere is told as well") {
  LogLimit limit;
  limit.count("E");
  limit.count("E");
  CHECK(limit.left_out(LogLimit::Clock::time_point{1h})[0].number == 2);
}

TEST_CASE("a request's id is the one that was sent, if it is one, else made up once") {
  CHECK(app::request_id().empty());
  {
    const app::RequestScope scope("req-1.a/b:c+d=e@f", true);
    CHECK(app::request_id() == "req-1.a/b:c+d=e@f");
  }
  for (const std::string& odd :
       {std::string("a b"), std::string("a\"b"), std::string("\xD7\x97"), std::string(129, 'x')}) {
    const app::RequestScope scope(odd, true);
    const std::string invented = app::request_id();
    CHECK(invented.size() == 12);
    CHECK(app::is_request_id(invented));
    CHECK(app::request_id() == invented);
  }
  std::string last;
  for (int i = 0; i < 100; ++i) {
    const app::RequestScope scope("", true);
    CHECK(app::request_id() != last);
    last = app::request_id();
  }
  CHECK(app::request_id().empty());
}

TEST_CASE("the id of a request is the last field") {
  CHECK(app::as_text(app::LogLevel::info, "M", {{"k", "v"}}, "r1") == "INFO: M k=v request_id=r1");
  CHECK(app::as_json(app::LogLevel::info, "M", {{"k", "v"}}, "T", "r1") ==
        R"({"time":"T","level":"INFO","message":"M","k":"v","request_id":"r1"})");
}
