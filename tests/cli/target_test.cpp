#include "cli/target.h"

#include "catch.h"

TEST_CASE("all but the unreserved characters are sent percent-encoded") {
  struct Case {
    std::string text;
    std::string encoded;
  };
  const auto given =
      GENERATE(Case{"2171", "2171"}, Case{"a-b._~Z9", "a-b._~Z9"}, Case{"a/b", "a%2Fb"}, Case{"a b", "a%20b"},
               Case{"1+1", "1%2B1"}, Case{"50%", "50%25"}, Case{"a?b#c", "a%3Fb%23c"}, Case{"x&y=z;w", "x%26y%3Dz%3Bw"},
               Case{"é", "%C3%A9"}, Case{"\"<>", "%22%3C%3E"}, Case{"", ""});
  CHECK(cli::percent_encoded(given.text) == given.encoded);
}
