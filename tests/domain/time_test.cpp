#include "domain/time.h"

#include "catch.h"

using namespace std::chrono_literals;

TEST_CASE("times are written to the millisecond, in UTC") {
  const domain::WallTime time = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + 3h + 27min + 123ms;
  CHECK(domain::to_text(time) == "2026-11-23T03:27:00.123Z");
  CHECK(domain::wall_time_from("2026-11-23T03:27:00.123Z") == time);
}

TEST_CASE("a text of another form is no time") {
  for (const char* text :
       {"", "2026-11-23", "2026-11-23 03:27:00.123Z", "2026-11-23T03:27:00Z", "2026-13-23T03:27:00.123Z",
        "2026-02-30T03:27:00.123Z", "2026-11-23T24:27:00.123Z", "2026-11-23T03:60:00.123Z", "2026-11-23T03:27:00.12xZ",
        "2026-11-23T03:27:00.123+", "+026-11-23T03:27:00.123Z"}) {
    CAPTURE(text);
    CHECK_FALSE(domain::wall_time_from(text).has_value());
  }
}
