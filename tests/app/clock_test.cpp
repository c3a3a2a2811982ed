#include "app/clock.h"

#include "catch.h"

using namespace std::chrono_literals;

TEST_CASE("a gap of over five seconds is left out, and a shorter one counts in full") {
  domain::ServiceTime machine{1h};
  app::Clock clock([&] { return domain::Moment{machine, {}}; });
  const auto start = clock.now().service;
  machine += 5s;
  CHECK(clock.now().service - start == 5s);
  machine += 5min;  // SIGSTOP, a suspended machine
  CHECK(clock.now().service - start == 5s);
  machine += 1s;
  CHECK(clock.now().service - start == 6s);
}

TEST_CASE("a jump of the wall clock makes nothing expire") {
  domain::WallTime wall{500000h};
  domain::ServiceTime machine{1h};
  app::Clock clock([&] { return domain::Moment{machine, wall}; });
  const auto start = clock.now();
  wall += 1h;
  CHECK(clock.now().wall - start.wall == 1h);
  wall -= 2h;
  CHECK(clock.now().service == start.service);
}
