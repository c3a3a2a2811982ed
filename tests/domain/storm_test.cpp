#include "domain/storm.h"

#include "catch.h"

namespace {

using namespace std::chrono_literals;
using domain::Storm;

constexpr domain::ServiceTime start{1h};

}  // namespace

TEST_CASE("more new rooms within a second than so many are a storm, which ends by itself") {
  Storm storm;
  CHECK_FALSE(storm.rages(start));
  for (std::size_t i = 0; i < Storm::most; ++i) storm.arrived(start);
  CHECK_FALSE(storm.rages(start));
  storm.arrived(start + 500ms);
  CHECK(storm.rages(start + 500ms));
  CHECK(storm.rages(start + 1s - 1ns));
  CHECK_FALSE(storm.rages(start + 1s));
}

TEST_CASE("rooms that come at a pace below that are never a storm, and at one above always") {
  for (const bool above : {false, true}) {
    const auto gap = 1'000'000us / static_cast<int>(Storm::most) + (above ? -100us : 100us);
    Storm storm;
    auto now = start;
    for (std::size_t i = 0; i < 20 * Storm::most; ++i, now += gap) {
      storm.arrived(now);
      if (i > Storm::most) CHECK(storm.rages(now) == above);
    }
  }
}

TEST_CASE("at the service's first instants no storm is made up") {
  Storm storm;
  storm.arrived(domain::ServiceTime{});
  CHECK_FALSE(storm.rages(domain::ServiceTime{}));
}
