#include "config/duration.h"

#include "catch.h"

using config::duration_from;
using namespace std::chrono_literals;

TEST_CASE("durations are read in every documented form") {
  const std::pair<const char*, domain::Duration> cases[] = {
      {"90s", 90s}, {"1m30s", 90s}, {"500ms", 500ms},     {"2h", 2h},   {"1h30m", 90min}, {"1h1m1s1ms", 3661001ms},
      {"0s", 0s},   {"5m", 5min},   {"1m500ms", 60500ms}, {"007s", 7s}, {"90m", 90min},   {"87600h", 87600h},
  };
  for (const auto& item : cases) {
    CAPTURE(item.first);
    const auto read = duration_from(item.first);
    REQUIRE(read);
    CHECK(*read == item.second);
  }
}

TEST_CASE("a number without a unit, an odd unit, a wrong order or an overflow is no duration") {
  for (const char* text : {"",
                           "90",
                           "s",
                           "1.5s",
                           "-5s",
                           "+5s",
                           "5 s",
                           "5S",
                           "5d",
                           "5sec",
                           "1s1m",
                           "1m1m",
                           "1ms1s",
                           "1h1h",
                           "90s ",
                           " 90s",
                           "1m30",
                           "1e3s",
                           "99999999999999999999s",
                           "9223372036854775807h",
                           "87600h1ms",
                           "--1s",
                           "1m-30s",
                           "0x10s"}) {
    CAPTURE(text);
    CHECK_FALSE(duration_from(text));
  }
}

TEST_CASE("a duration is written in the documented form, and is read back") {
  const std::pair<const char*, domain::Duration> cases[] = {
      {"90s", 90s}, {"1m", 60s},         {"2m", 120s},     {"2m30s", 150s},         {"500ms", 500ms},
      {"0s", 0s},   {"1s500ms", 1500ms}, {"1h30m", 90min}, {"1m30s500ms", 90500ms}, {"24h", 24h},
  };
  for (const auto& item : cases) {
    CHECK(config::to_text(item.second) == item.first);
    CHECK(duration_from(item.first) == item.second);
  }
}
