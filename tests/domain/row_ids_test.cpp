#include <limits>
#include <optional>

#include "catch.h"
#include "domain/row_ids.h"

using domain::RowId;
using domain::RowIds;

TEST_CASE("a new row's id is behind the last one, or fills the first gap") {
  RowIds ids;
  CHECK(ids.acquire_next("a") == RowId{1});
  CHECK(ids.take(RowId{100}, "b") == nullptr);
  CHECK(ids.acquire_next("c") == RowId{101});
  CHECK(ids.take(RowId{std::numeric_limits<std::int64_t>::max()}, "top") == nullptr);
  CHECK(ids.acquire_next("d") == RowId{2});
  CHECK(ids.acquire_next("e") == RowId{3});

  RowIds negative;
  negative.take(RowId{-7}, "a");
  CHECK(negative.acquire_next("b") == RowId{1});
}

TEST_CASE("an id of another row is not given again") {
  RowIds ids;
  CHECK(ids.take(RowId{5}, "a") == nullptr);
  CHECK(ids.take(RowId{5}, "a") == nullptr);
  REQUIRE(ids.take(RowId{5}, "b") != nullptr);
  CHECK(*ids.take(RowId{5}, "b") == "a");
}

TEST_CASE("a uid is an id only if it is written as a positive number") {
  CHECK(domain::decimal_row_id("2171") == RowId{2171});
  CHECK(domain::decimal_row_id("9223372036854775807") == RowId{std::numeric_limits<std::int64_t>::max()});
  for (const char* uid : {"02171", "0", "-5", "+5", "1e3", " 7", "7 ", "b", "", "9223372036854775808"}) {
    CAPTURE(uid);
    CHECK(domain::decimal_row_id(domain::RoomId(std::string(uid))) == std::nullopt);
  }
}
