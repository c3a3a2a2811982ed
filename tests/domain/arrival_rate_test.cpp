#include "domain/arrival_rate.h"

#include "catch.h"

namespace {

using namespace std::chrono_literals;
using domain::ArrivalRate;

constexpr domain::ServiceTime start{1h};

}  // namespace

TEST_CASE("more new rooms within a second than the limit are a burst, which ends by itself") {
  ArrivalRate arrivals;
  CHECK_FALSE(arrivals.is_burst(start));
  for (std::size_t i = 0; i < ArrivalRate::most; ++i) arrivals.arrived(start);
  CHECK_FALSE(arrivals.is_burst(start));
  arrivals.arrived(start + 500ms);
  CHECK(arrivals.is_burst(start + 500ms));
  CHECK(arrivals.is_burst(start + 1s - 1ns));
  CHECK_FALSE(arrivals.is_burst(start + 1s));
}

TEST_CASE("new rooms at a steady rate below the limit are never a burst, and above it always") {
  for (const bool above : {false, true}) {
    const auto gap = 1'000'000us / static_cast<int>(ArrivalRate::most) + (above ? -100us : 100us);
    ArrivalRate arrivals;
    auto now = start;
    for (std::size_t i = 0; i < 20 * ArrivalRate::most; ++i, now += gap) {
      arrivals.arrived(now);
      if (i > ArrivalRate::most) CHECK(arrivals.is_burst(now) == above);
    }
  }
}

TEST_CASE("the service's first instants are no burst") {
  ArrivalRate arrivals;
  arrivals.arrived(domain::ServiceTime{});
  CHECK_FALSE(arrivals.is_burst(domain::ServiceTime{}));
}
