#include "health/trouble_news.h"

#include "catch.h"

using health::TroubleNews;
using Troubles = std::vector<std::string>;

TEST_CASE("a trouble is told once it lasts, and once") {
  TroubleNews news;
  CHECK(news.of({"a"}).troubles.empty());
  CHECK(news.of({"a", "b"}).troubles == Troubles{"a"});
  CHECK(news.of({"a", "b"}).troubles == Troubles{"b"});
  CHECK(news.of({"a", "b"}).troubles.empty());
}

TEST_CASE("the end of all troubles is told once, if any was told") {
  TroubleNews news;
  news.of({"a"});
  CHECK_FALSE(news.of({}).are_over);
  news.of({"a"});
  news.of({"a", "b"});
  CHECK_FALSE(news.of({"b"}).are_over);
  CHECK(news.of({}).are_over);
  CHECK_FALSE(news.of({}).are_over);
}

TEST_CASE("the end is told also of a trouble that went by another name for a last round") {
  TroubleNews news;
  news.of({"the connection was lost"});
  REQUIRE(news.of({"the connection was lost"}).troubles.size() == 1);
  news.of({"no broker answers"});
  CHECK(news.of({}).are_over);
}
