#include <limits>
#include <optional>

#include "catch.h"
#include "domain/row_ids.h"

using domain::RowIds;

TEST_CASE("a new row's id is behind the last one, or fills the first gap") {
  RowIds ids;
  CHECK(ids.acquire_next("a") == 1);
  CHECK(ids.take(100, "b") == nullptr);
  CHECK(ids.acquire_next("c") == 101);
  CHECK(ids.take(std::numeric_limits<std::int64_t>::max(), "top") == nullptr);
  CHECK(ids.acquire_next("d") == 2);
  CHECK(ids.acquire_next("e") == 3);

  RowIds negative;
  negative.take(-7, "a");
  CHECK(negative.acquire_next("b") == 1);
}

TEST_CASE("an id of another row is not given again") {
  RowIds ids;
  CHECK(ids.take(5, "a") == nullptr);
  CHECK(ids.take(5, "a") == nullptr);
  REQUIRE(ids.take(5, "b") != nullptr);
  CHECK(*ids.take(5, "b") == "a");
}

TEST_CASE("a uid is an id only if it is written as a positive number") {
  CHECK(domain::decimal_row_id("2171") == 2171);
  CHECK(domain::decimal_row_id("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  for (const char* uid : {"02171", "0", "-5", "+5", "1e3", " 7", "7 ", "b", "", "9223372036854775808"}) {
    CAPTURE(uid);
    CHECK(domain::decimal_row_id(uid) == std::nullopt);
  }
}
