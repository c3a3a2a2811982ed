// Large bodies and their few slots.
#include <list>
#include <string>

#include "catch.h"
#include "http/large_body_slots.h"
#include "http/test_server.h"
#include "http/wire.h"

using namespace http_test;

namespace {

constexpr std::size_t large = http::LargeBodySlots::large;
const std::string put = "PUT /v2/sessions HTTP/1.1\r\nHost: localhost\r\n";
const std::string body(100'001, 'x');
const std::string known = "Content-Length: 100001\r\n\r\n";
const std::string in_chunks = "Transfer-Encoding: chunked\r\n\r\n186a1\r\n";

// A request whose body has so many bytes, of each kind in turn.
std::string part(int i, std::size_t size) { return put + (i % 2 == 0 ? known : in_chunks) + body.substr(0, size); }

http::ServerOptions patient() {
  auto options = quick();
  options.timeouts = {60s, 60s, 60s, 60s, 60s};
  options.timeouts.piece = 60s;
  return options;
}

// Whole bodies with answers that wait for release(): they keep all slots.
std::list<Wire> keep_all_places(TestServer& server) {
  std::list<Wire> keeping;
  for (std::size_t i = 0; i < http::LargeBodySlots::most; ++i) {
    keeping.emplace_back(server.address()).say("PUT /wait HTTP/1.1\r\nHost: localhost\r\n" + known + body);
  }
  REQUIRE(comes_true([&] { return server.waiting() == 1; }));  // the others wait for it
  for (const Wire& wire : keeping) REQUIRE(comes_true([&] { return wire.was_read(); }));
  return keeping;
}

}  // namespace

TEST_CASE("a body that is only announced, or below 64 KiB, takes no slot for large bodies") {
  TestServer server(patient());
  std::list<Wire> half;
  for (int i = 0; i < 10; ++i) half.emplace_back(server.address()).say(part(i, i < 5 ? 0 : large - 1));
  for (int i = 0; i < 10; ++i) {
    Wire wire(server.address());
    wire.say(put + known + body);
    REQUIRE(wire.read_answer().status == 200);
  }
  for (int i = 0; Wire & wire : half) {
    wire.say(body.substr(i < 5 ? 0 : large - 1) + (i % 2 == 0 ? "" : "\r\n0\r\n\r\n"));
    CHECK(wire.read_answer().body.find("\"size\":100001") != std::string::npos);
    ++i;
  }
}

TEST_CASE("a large body waits for a slot") {
  TestServer server(patient());
  auto keeping = keep_all_places(server);
  std::list<Wire> waiting;
  for (int i = 0; i < 6; ++i)
    waiting.emplace_back(server.address()).say(part(i, body.size()) + (i % 2 == 0 ? "" : "\r\n0\r\n\r\n"));
  CHECK(waiting.front().read_answer(false, 300ms).status == 0);
  Wire small(server.address());  // needs none
  small.say(put + "Content-Length: 65536\r\n\r\n" + std::string(large, 'x'));
  CHECK(small.read_answer().status == 200);
  server.release();
  for (Wire& wire : keeping) CHECK(wire.read_answer().status == 200);
  for (Wire& wire : waiting) CHECK(wire.read_answer().status == 200);
  CHECK(server.server().shedding().large_bodies_refused() == 0);
}

TEST_CASE("a body that waits in vain for a slot is refused at its deadline, and is counted") {
  auto options = patient();
  options.timeouts.body = 400ms;
  TestServer server(std::move(options));
  auto keeping = keep_all_places(server);
  Wire wire(server.address());
  wire.say(put + known + body);
  const auto answer = wire.read_answer();
  CHECK(answer.status == 503);
  CHECK(answer.error() == "too_many_connections");
  CHECK(answer.field("Retry-After") == "1");
  CHECK(answer.field("Connection") == "close");
  CHECK(wire.ends_within(5s));
  CHECK(server.server().shedding().large_bodies_refused() == 1);
  CHECK(server.server().shedding().session_reports_refused() == 1);
  CHECK(server.server().shedding().refuses_session_reports());
  server.release();
}

TEST_CASE("a client that is gone waits for no slot") {
  TestServer server(patient());
  auto keeping = keep_all_places(server);
  {
    Wire wire(server.address());
    wire.say(part(0, large + 1));
    CHECK(wire.read_answer(false, 200ms).status == 0);
    REQUIRE(server.server().connections() == 5);
    wire.reset();
  }
  // Long before the first slot is free by itself.
  CHECK(comes_true([&] { return server.server().connections() == 4; }, 15s));
  server.release();
}

TEST_CASE("a large body that comes too slowly loses its slot") {
  auto options = patient();
  options.timeouts.piece = 300ms;
  TestServer server(std::move(options));
  std::list<Wire> slow;
  for (int i = 0; i < 4; ++i) slow.emplace_back(server.address()).say(part(i, large + 1));
  Wire other(server.address());
  other.say(put + known + body);
  CHECK(other.read_answer(false, 30s).status == 200);
  for (Wire& wire : slow) CHECK(wire.read_answer().error() == "request_timeout");
}

TEST_CASE("a client that takes the answer to a large body too slowly loses its slot") {
  auto options = patient();
  options.timeouts.piece = 300ms;
  TestServer server(std::move(options));
  std::list<Wire> deaf;
  for (int i = 0; i < 4; ++i) {
    deaf.emplace_back(server.address()).say("PUT /large HTTP/1.1\r\nHost: localhost\r\n" + known + body);
  }
  Wire other(server.address());
  other.say(put + known + body);
  CHECK(other.read_answer(false, 30s).status == 200);
}
