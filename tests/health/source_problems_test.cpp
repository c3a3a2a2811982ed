#include "health/source_problems.h"

#include "catch.h"

using health::SourceProblems;
using Problems = std::vector<std::string>;

TEST_CASE("a problem is reported once it lasts, and once only") {
  SourceProblems news;
  CHECK(news.of({"a"}).problems.empty());
  CHECK(news.of({"a", "b"}).problems == Problems{"a"});
  CHECK(news.of({"a", "b"}).problems == Problems{"b"});
  CHECK(news.of({"a", "b"}).problems.empty());
}

TEST_CASE("the end of all problems is reported once, if any was reported") {
  SourceProblems news;
  news.of({"a"});
  CHECK_FALSE(news.of({}).are_over);
  news.of({"a"});
  news.of({"a", "b"});
  CHECK_FALSE(news.of({"b"}).are_over);
  CHECK(news.of({}).are_over);
  CHECK_FALSE(news.of({}).are_over);
}

TEST_CASE("the end of a problem is also reported if its text changed in the last round") {
  SourceProblems news;
  news.of({"the connection was lost"});
  REQUIRE(news.of({"the connection was lost"}).problems.size() == 1);
  news.of({"no broker answers"});
  CHECK(news.of({}).are_over);
}
