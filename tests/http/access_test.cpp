// Local Hosts, and right tokens.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "catch.h"
#include "http/access.h"
#include "pace.h"

TEST_CASE("a local Host is localhost, 127.0.0.0/8 or [::1], with or without a port") {
  for (const char* near : {"localhost", "LocalHost", "localhost:8082", "localhost:", "127.0.0.1", "127.0.0.1:1",
                           "127.255.255.254:65535", "[::1]", "[::1]:8082", "[0:0:0:0:0:0:0:1]"}) {
    CAPTURE(near);
    CHECK(http::is_local_host(near));
  }
  for (const char* far : {"",
                          ":",
                          ":80",
                          "localhost.",
                          "localhost.example",
                          "localhost:x",
                          "localhost:123456",
                          "localhost:80:80",
                          "127.0.0.1.example",
                          "127.1",
                          "127.0.0.256",
                          "128.0.0.1",
                          "0.0.0.0",
                          "2130706433",
                          "::1",
                          "[::1",
                          "[::2]",
                          "[::ffff:127.0.0.1]",
                          "[127.0.0.1]",
                          "a@localhost",
                          "localhost/",
                          " localhost"}) {
    CAPTURE(far);
    CHECK_FALSE(http::is_local_host(far));
  }
}

namespace {

// The median time of many checks of one token.
std::chrono::nanoseconds time_to_refuse(const std::string& given, const std::string& token) {
  http::Head head;
  const std::string field = "Bearer " + given;
  head.authorization = field;
  head.authorizations = 1;
  std::vector<std::chrono::nanoseconds> took;
  for (int look = 0; look < 301; ++look) {
    const auto began = tests::processor_time();
    bool borne = false;
    for (int i = 0; i < 10; ++i) borne = http::bears_token(head, token) || borne;
    took.push_back(tests::processor_time() - began);
    CHECK_FALSE(borne);
  }
  std::nth_element(took.begin(), took.begin() + 150, took.end());
  return took[150];
}

}  // namespace

TEST_CASE("the time to refuse a token does not depend on how much of it is right") {
  const std::string token(4096, 'a');
  std::string wrong_at_first = token, wrong_at_last = token;
  wrong_at_first.front() = 'b';
  wrong_at_last.back() = 'b';
  const auto first = time_to_refuse(wrong_at_first, token);
  const auto last = time_to_refuse(wrong_at_last, token);
  CAPTURE(first.count(), last.count());
  CHECK(first * 3 > last);  // a comparison that ends early takes a hundredth
  CHECK(last * 3 > first);
}
