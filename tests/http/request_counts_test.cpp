// The server's counts of its requests, for GET /metrics.
#include <string>

#include "catch.h"
#include "http/test_server.h"
#include "http/wire.h"

using namespace http_test;

namespace {

std::uint64_t counted(TestServer& server, std::string_view pattern, int status, std::string_view method = "") {
  for (const auto& route : server.server().requests()) {
    if (route.pattern != pattern || (!method.empty() && route.method != method)) continue;
    for (const auto& [code, count] : route.by_status) {
      if (code == status) return count;
    }
  }
  return 0;
}

std::uint64_t timed(TestServer& server, std::string_view pattern) {
  for (const auto& route : server.server().requests()) {
    if (route.pattern == pattern) return route.duration.count;
  }
  return 0;
}

WireAnswer ask(TestServer& server, const std::string& line, const std::string& fields = "") {
  Wire wire(server.address());
  wire.say(line + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
  return wire.read_answer(line.rfind("HEAD", 0) == 0);
}

}  // namespace

TEST_CASE("a request is counted by its route's pattern and its status, before it is answered") {
  TestServer server;
  for (int i = 1; i <= 3; ++i) {
    REQUIRE(ask(server, "PUT /v2/rooms/" + std::to_string(i) + "/sessions/s").status == 200);
    CHECK(counted(server, "/v2/rooms/{room}/sessions/{session}", 200, "PUT") == static_cast<std::uint64_t>(i));
  }
  CHECK(counted(server, "/v2/rooms/{room}/sessions/{session}", 200, "DELETE") == 0);
  CHECK(timed(server, "/v2/rooms/{room}/sessions/{session}") == 3);
  CHECK(ask(server, "HEAD /v2/rooms").status == 200);
  CHECK(counted(server, "/v2/rooms", 200, "GET") == 1);
  CHECK(ask(server, "GET /busy").status == 503);
  CHECK(counted(server, "/busy", 503) == 1);
  CHECK(ask(server, "GET /throw").status == 500);
  CHECK(counted(server, "/throw", 500) == 1);
}

TEST_CASE("a request without a route is counted without one, and not timed") {
  TestServer server;
  CHECK(ask(server, "GET /nowhere").status == 404);
  CHECK(ask(server, "PATCH /v2/rooms").status == 405);
  CHECK(ask(server, "nonsense").status == 400);
  for (const int status : {404, 405, 400}) CHECK(counted(server, "", status) == 1);
  CHECK(timed(server, "") == 0);
  // The next one on the same connection is not taken for the one before.
  Wire wire(server.address());
  wire.say("GET /v2/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(wire.read_answer().status == 200);
  wire.say("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(wire.read_answer().status == 404);
  CHECK(counted(server, "", 404) == 2);
  CHECK(timed(server, "/v2/rooms") == 1);
}

TEST_CASE("a request refused for its token or body counts for its route, and is not timed") {
  auto options = quick();
  options.token = "t";
  TestServer server(std::move(options));
  CHECK(ask(server, "GET /v2/rooms").status == 401);
  CHECK(counted(server, "/v2/rooms", 401) == 1);
  CHECK(ask(server, "POST /v2/room_server", "Authorization: Bearer t\r\nContent-Length: 100000\r\n").status == 413);
  CHECK(counted(server, "/v2/room_server", 413) == 1);
  CHECK(timed(server, "/v2/room_server") == 0);
}
