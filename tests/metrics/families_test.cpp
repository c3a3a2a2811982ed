#include "metrics/families.h"

#include "catch.h"

using metrics::Families;

TEST_CASE("families are written in their order, each with its help and type") {
  Families families;
  families.counter("a_total", "First.").add({{"x", "1"}, {"y", "2"}}, std::uint64_t{3}).add({}, std::uint64_t{0});
  families.gauge("b", "Second.").add({}, true).add({{"x", "1"}}, std::int64_t{-2});
  CHECK(families.text() ==
        "# HELP a_total First.\n# TYPE a_total counter\na_total{x=\"1\",y=\"2\"} 3\na_total 0\n"
        "# HELP b Second.\n# TYPE b gauge\nb 1\nb{x=\"1\"} -2\n");
}

TEST_CASE("a histogram is written in base units, with short bounds") {
  counts::Durations durations;
  durations.observe(100'000);
  durations.observe(1'500'000'000);
  Families families;
  families.histogram("t_seconds", "Time.", 1e9).add({}, durations.read());
  const std::string text = families.text();
  for (const char* line : {"t_seconds_bucket{le=\"5e-05\"} 0\n", "t_seconds_bucket{le=\"0.0001\"} 1\n",
                           "t_seconds_bucket{le=\"0.00025\"} 1\n", "t_seconds_bucket{le=\"1\"} 1\n",
                           "t_seconds_bucket{le=\"+Inf\"} 2\n", "t_seconds_count 2\n", "t_seconds_sum 1.5001\n"}) {
    CAPTURE(line, text);
    CHECK(text.find(line) != text.npos);
  }
}

TEST_CASE("a label that holds quotes, backslashes or line ends forges nothing") {
  Families families;
  families.gauge("a", "-").add({{"x", "1\"} 2\na{y=\"\\"}}, true);
  CHECK(families.text().find("a{x=\"1\\\"} 2\\na{y=\\\"\\\\\"} 1\n") != std::string::npos);
}
