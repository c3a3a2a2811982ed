// Which Hosts are local.
#include "catch.h"
#include "http/access.h"

TEST_CASE("a local Host is localhost, 127.0.0.0/8 or [::1], with any port or none") {
  for (const char* near : {"localhost", "LocalHost", "localhost:8082", "localhost:", "127.0.0.1",
                           "127.0.0.1:1", "127.255.255.254:65535", "[::1]", "[::1]:8082",
                           "[0:0:0:0:0:0:0:1]"}) {
    CAPTURE(near);
    CHECK(http::is_local_host(near));
  }
  for (const char* far : {"", ":", ":80", "localhost.", "localhost.example", "localhost:x", "localhost:123456",
                          "localhost:80:80", "127.0.0.1.example", "127.1", "127.0.0.256", "128.0.0.1",
                          "0.0.0.0", "2130706433", "::1", "[::1", "[::2]", "[::ffff:127.0.0.1]",
                          "[127.0.0.1]", "a@localhost", "localhost/", " localhost"}) {
    CAPTURE(far);
    CHECK_FALSE(http::is_local_host(far));
  }
}
