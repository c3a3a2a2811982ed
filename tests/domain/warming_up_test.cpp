#include "domain/warming_gateways.h"

#include "catch.h"

namespace {

using namespace std::chrono_literals;
using domain::GatewayId;
using domain::WarmingGateways;

constexpr domain::ServiceTime start{1h};

}  // namespace

TEST_CASE("gateways present at the start are not warming up") {
  WarmingGateways warming;
  CHECK_FALSE(warming.any(start));
  warming.look({}, start);
  warming.look({GatewayId{0}, GatewayId{1}, GatewayId{2}}, start + 1s);
  CHECK_FALSE(warming.any(start + 1s));
  warming.look({GatewayId{2}, GatewayId{1}, GatewayId{0}}, start + 2s);  // another order is no news
  CHECK_FALSE(warming.any(start + 2s));
}

TEST_CASE("a gateway that joins is warming up for a minute, whatever else changes meanwhile") {
  WarmingGateways warming;
  warming.look({GatewayId{0}, GatewayId{1}}, start);
  warming.look({GatewayId{0}, GatewayId{1}, GatewayId{2}}, start + 10s);
  CHECK(warming.any(start + 10s));
  warming.look({GatewayId{1}, GatewayId{2}}, start + 30s);
  CHECK(warming.any(start + 70s - 1ms));
  CHECK_FALSE(warming.any(start + 70s));
  warming.look({GatewayId{1}, GatewayId{2}}, start + 71s);
  CHECK_FALSE(warming.any(start + 71s));
}

TEST_CASE("the youngest of several warming gateways counts, and only while it is listed") {
  WarmingGateways warming;
  warming.look({GatewayId{0}}, start);
  warming.look({GatewayId{0}, GatewayId{1}}, start + 10s);
  warming.look({GatewayId{0}, GatewayId{1}, GatewayId{2}}, start + 40s);
  CHECK(warming.any(start + 99s));
  warming.look({GatewayId{0}, GatewayId{1}}, start + 50s);
  CHECK(warming.any(start + 69s));
  CHECK_FALSE(warming.any(start + 70s));
}

TEST_CASE("a gateway that was drained and comes back is warming up again") {
  WarmingGateways warming;
  warming.look({GatewayId{0}, GatewayId{1}}, start);
  warming.look({GatewayId{0}}, start + 10s);
  CHECK_FALSE(warming.any(start + 10s));
  warming.look({GatewayId{0}, GatewayId{1}}, start + 20s);
  CHECK(warming.any(start + 20s));
  CHECK_FALSE(warming.any(start + 80s));
}
