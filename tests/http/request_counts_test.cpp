// What the door counts of its requests, for GET /metrics.
#include <string>

#include "catch.h"
#include "http/test_door.h"
#include "http/wire.h"

using namespace http_test;

namespace {

std::uint64_t counted(TestDoor& door, std::string_view pattern, int status, std::string_view method = "") {
  for (const auto& route : door.door().requests()) {
    if (route.pattern != pattern || (!method.empty() && route.method != method)) continue;
    for (const auto& [code, count] : route.by_status) {
      if (code == status) return count;
    }
  }
  return 0;
}

std::uint64_t timed(TestDoor& door, std::string_view pattern) {
  for (const auto& route : door.door().requests()) {
    if (route.pattern == pattern) return route.duration.count;
  }
  return 0;
}

WireAnswer ask(TestDoor& door, const std::string& line, const std::string& fields = "") {
  Wire wire(door.address());
  wire.say(line + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
  return wire.hear(line.rfind("HEAD", 0) == 0);
}

}  // namespace

TEST_CASE("a request is counted by its route's pattern and its status, before it is answered") {
  TestDoor door;
  for (int i = 1; i <= 3; ++i) {
    REQUIRE(ask(door, "PUT /v2/rooms/" + std::to_string(i) + "/sessions/s").status == 200);
    CHECK(counted(door, "/v2/rooms/{room}/sessions/{session}", 200, "PUT") == static_cast<std::uint64_t>(i));
  }
  CHECK(counted(door, "/v2/rooms/{room}/sessions/{session}", 200, "DELETE") == 0);
  CHECK(timed(door, "/v2/rooms/{room}/sessions/{session}") == 3);
  CHECK(ask(door, "HEAD /v2/rooms").status == 200);
  CHECK(counted(door, "/v2/rooms", 200, "GET") == 1);
  CHECK(ask(door, "GET /busy").status == 503);
  CHECK(counted(door, "/busy", 503) == 1);
  CHECK(ask(door, "GET /throw").status == 500);
  CHECK(counted(door, "/throw", 500) == 1);
}

TEST_CASE("a request that leads to no route is counted without one, and not timed") {
  TestDoor door;
  CHECK(ask(door, "GET /nowhere").status == 404);
  CHECK(ask(door, "PATCH /v2/rooms").status == 405);
  CHECK(ask(door, "nonsense").status == 400);
  for (const int status : {404, 405, 400}) CHECK(counted(door, "", status) == 1);
  CHECK(timed(door, "") == 0);
  // The next one on the same connection is not taken for the one before.
  Wire wire(door.address());
  wire.say("GET /v2/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(wire.hear().status == 200);
  wire.say("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(wire.hear().status == 404);
  CHECK(counted(door, "", 404) == 2);
  CHECK(timed(door, "/v2/rooms") == 1);
}

TEST_CASE(
    "what a route would have answered but for the token or the body is counted as its own, and not "
    "timed") {
  auto options = quick();
  options.token = "t";
  TestDoor door(std::move(options));
  CHECK(ask(door, "GET /v2/rooms").status == 401);
  CHECK(counted(door, "/v2/rooms", 401) == 1);
  CHECK(ask(door, "POST /v2/room_server", "Authorization: Bearer t\r\nContent-Length: 100000\r\n").status == 413);
  CHECK(counted(door, "/v2/room_server", 413) == 1);
  CHECK(timed(door, "/v2/room_server") == 0);
}
