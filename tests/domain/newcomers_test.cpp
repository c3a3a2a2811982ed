#include "domain/newcomers.h"

#include "catch.h"

namespace {

using namespace std::chrono_literals;
using domain::Newcomers;

constexpr domain::ServiceTime start{1h};

}  // namespace

TEST_CASE("the gateways that are there at the start are not new") {
  Newcomers newcomers;
  CHECK_FALSE(newcomers.any(start));
  newcomers.look({}, start);
  newcomers.look({0, 1, 2}, start + 1s);
  CHECK_FALSE(newcomers.any(start + 1s));
  newcomers.look({2, 1, 0}, start + 2s);  // another order is no news
  CHECK_FALSE(newcomers.any(start + 2s));
}

TEST_CASE("a gateway that joins is new for a minute, whatever else changes meanwhile") {
  Newcomers newcomers;
  newcomers.look({0, 1}, start);
  newcomers.look({0, 1, 2}, start + 10s);
  CHECK(newcomers.any(start + 10s));
  newcomers.look({1, 2}, start + 30s);
  CHECK(newcomers.any(start + 70s - 1ms));
  CHECK_FALSE(newcomers.any(start + 70s));
  newcomers.look({1, 2}, start + 71s);
  CHECK_FALSE(newcomers.any(start + 71s));
}

TEST_CASE("the youngest of several counts, and only while it is there") {
  Newcomers newcomers;
  newcomers.look({0}, start);
  newcomers.look({0, 1}, start + 10s);
  newcomers.look({0, 1, 2}, start + 40s);
  CHECK(newcomers.any(start + 99s));
  newcomers.look({0, 1}, start + 50s);
  CHECK(newcomers.any(start + 69s));
  CHECK_FALSE(newcomers.any(start + 70s));
}

TEST_CASE("a gateway that was drained and comes back is new again") {
  Newcomers newcomers;
  newcomers.look({0, 1}, start);
  newcomers.look({0}, start + 10s);
  CHECK_FALSE(newcomers.any(start + 10s));
  newcomers.look({0, 1}, start + 20s);
  CHECK(newcomers.any(start + 20s));
  CHECK_FALSE(newcomers.any(start + 80s));
}
