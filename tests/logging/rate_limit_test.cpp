#include "logging/rate_limit.h"

#include "catch.h"
#include "logging/log.h"

using logging::RateLimit;
using namespace std::chrono_literals;

TEST_CASE("a flood of one event is limited, and hides no other") {
  RateLimit limit;
  const RateLimit::Clock::time_point start{1h};
  int taken = 0;
  for (int i = 0; i < 5000; ++i) taken += limit.takes("Room refused", start);
  CHECK(taken == static_cast<int>(RateLimit::at_once));
  CHECK(limit.takes("Gateway is down", start));
  const auto reported = limit.left_out(start);
  REQUIRE(reported.size() == 1);
  CHECK(reported[0].event == "Room refused");
  CHECK(reported[0].number == 4900);
}

TEST_CASE("a lasting flood gets some lines a second, and its left-out lines are reported now and then") {
  RateLimit limit;
  RateLimit::Clock::time_point now{1h};
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
  RateLimit limit;
  const RateLimit::Clock::time_point start{};  // the machine has just started
  int taken = 0;
  for (int i = 0; i < 5000; ++i) taken += limit.takes("Session reports another gateway", start, 1000);
  CHECK(taken == 1000);
  for (int i = 0; i < 5000; ++i) taken += limit.takes("Session reports another gateway", start + 1h, 1000);
  CHECK(taken == 2000);
}

TEST_CASE("lines that were left out elsewhere are reported as well") {
  RateLimit limit;
  limit.count("E");
  limit.count("E");
  CHECK(limit.left_out(RateLimit::Clock::time_point{1h})[0].number == 2);
}

TEST_CASE("a request's id is the one that was sent, if valid, else one generated once") {
  CHECK(logging::request_id().empty());
  {
    const logging::RequestScope scope("req-1.a/b:c+d=e@f", true);
    CHECK(logging::request_id() == "req-1.a/b:c+d=e@f");
  }
  for (const std::string& odd :
       {std::string("a b"), std::string("a\"b"), std::string("\xD7\x97"), std::string(129, 'x')}) {
    const logging::RequestScope scope(odd, true);
    const std::string invented = logging::request_id();
    CHECK(invented.size() == 12);
    CHECK(logging::is_request_id(invented));
    CHECK(logging::request_id() == invented);
  }
  std::string last;
  for (int i = 0; i < 100; ++i) {
    const logging::RequestScope scope("", true);
    CHECK(logging::request_id() != last);
    last = logging::request_id();
  }
  CHECK(logging::request_id().empty());
}

TEST_CASE("the id of a request is the last field") {
  CHECK(logging::as_text(logging::Level::info, "M", {{"k", "v"}}, "r1") == "INFO: M k=v request_id=r1");
  CHECK(logging::as_json(logging::Level::info, "M", {{"k", "v"}}, "T", "r1") ==
        R"({"time":"T","level":"INFO","message":"M","k":"v","request_id":"r1"})");
}
