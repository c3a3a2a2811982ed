#include "config/listen_address.h"

#include <string>

#include "catch.h"

using config::is_listen_address;
using config::is_local_only;

TEST_CASE("numeric addresses with a port, and absolute Unix paths, can be listened on") {
  for (const char* text : {"127.0.0.1:8082", "127.0.0.1:0", "0.0.0.0:65535", "[::1]:8082", "[::]:0", "[fe80::1]:80",
                           "unix:/run/room-sidecar/socket"}) {
    CAPTURE(text);
    CHECK(is_listen_address(text));
  }
  CHECK(is_listen_address("unix:/" + std::string(106, 'a')));
}

TEST_CASE("no other address can be listened on") {
  for (const char* text : {"",
                           ":8082",
                           "8082",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:+80",
                           "127.0.0.1:80a",
                           "127.0.0.1: 80",
                           "127.0.0:80",
                           "256.0.0.1:80",
                           "::1:8082",
                           "[::1]",
                           "[::1]:",
                           "[::1:80",
                           "[127.0.0.1]:80",
                           "[]:80",
                           "localhost:8082",
                           "example.org:80",
                           "*:80",
                           "http://127.0.0.1:80",
                           "127.0.0.1:00000080",
                           "unix:",
                           "unix:/",
                           "unix:run/socket",
                           "unix:/a\nb",
                           "[fe80::1%eth0]:80"}) {
    CAPTURE(text);
    CHECK_FALSE(is_listen_address(text));
  }
  CHECK_FALSE(is_listen_address("unix:/" + std::string(107, 'a')));
  CHECK_FALSE(is_listen_address(std::string("unix:/a\0b", 9)));
  CHECK_FALSE(is_listen_address(std::string("127.0.0.1\0:80", 13)));
}

TEST_CASE("only loopback and Unix sockets are out of other machines' reach") {
  for (const char* text : {"127.0.0.1:0", "127.9.9.9:80", "127.255.0.1:1", "[::1]:80", "[::ffff:127.0.0.1]:80",
                           "localhost:1", "unix:/s", "unix:@abstract"}) {
    CAPTURE(text);
    CHECK(is_local_only(text));
  }
  for (const char* text :
       {"", "0.0.0.0:80", "[::]:80", "10.0.0.1:80", "128.0.0.1:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:80", "[::2]:80"}) {
    CAPTURE(text);
    CHECK_FALSE(is_local_only(text));
  }
}
