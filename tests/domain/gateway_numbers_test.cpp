// A gateway's number: made up once, then for good.
#include "domain/gateway_numbers.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "catch.h"

using domain::GatewayId;

TEST_CASE("a gateway keeps the number of its first mention") {
  domain::GatewayNumbers gateways;
  const GatewayId first = gateways.number("gxy1");
  const GatewayId second = gateways.number("gxy2");
  CHECK(first != second);
  for (int i = 0; i < 1000; ++i) gateways.number("other" + std::to_string(i));
  CHECK(gateways.number("gxy1") == first);
  CHECK(gateways.require("gxy2") == second);
  CHECK(gateways.name_of(second) == "gxy2");
  CHECK_FALSE(gateways.find("gxy3"));
  CHECK_THROWS(gateways.require("gxy3"));
}

TEST_CASE("a vector by gateway has a value for gateways behind its end, too") {
  domain::GatewayNumbers gateways;
  const GatewayId inside = gateways.number("gxy1");
  const GatewayId behind = gateways.number("gxy2");
  const std::vector<std::int64_t> rooms{7};
  CHECK(domain::value_of(std::span(rooms), inside, std::int64_t{0}) == 7);
  CHECK(domain::value_of(std::span(rooms), behind, std::int64_t{0}) == 0);
}
