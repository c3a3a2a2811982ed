// How connections live: slow and idle clients, too many of them, and the end.
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <functional>
#include <iterator>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "catch.h"
#include "http/connection_slots.h"
#include "http/test_server.h"
#include "http/wire.h"

using namespace http_test;

namespace {

using Clock = std::chrono::steady_clock;

const std::string ask = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const std::string ask_and_wait = "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n";

// So that a busy machine does not count.
Clock::duration shortest_of(int times, const std::function<void()>& action) {
  auto shortest = Clock::duration::max();
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    action();
    shortest = std::min(shortest, Clock::now() - start);
  }
  return shortest;
}

std::ptrdiff_t threads_of_this_process() {
  const auto tasks = std::filesystem::directory_iterator("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

// Sends a byte now and then until the other side closes.
WireAnswer trickle(Wire& wire, std::string_view bytes) {
  for (const char c : bytes) {
    auto answer = wire.read_answer(false, 50ms);
    if (answer.status != 0) return answer;
    if (!wire.say({&c, 1})) break;
  }
  return wire.read_answer();
}

}  // namespace

TEST_CASE("a trickling head and a trickling body are cut off with 408") {
  TestServer server;
  {
    Wire wire(server.address());
    const auto start = Clock::now();
    CHECK(trickle(wire, "GET /" + std::string(500, 'a')).error() == "request_timeout");
    CHECK(Clock::now() - start < 3s);
    CHECK(wire.ends_within(2s));
  }
  const std::string head = "POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\n";
  for (const std::string& framing :
       std::vector<std::string>{"Content-Length: 500\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"}) {
    Wire wire(server.address());
    wire.say(head + framing);
    CHECK(trickle(wire, std::string(500, '0')).error() == "request_timeout");
    CHECK(wire.ends_within(2s));
  }
}

TEST_CASE("an idle connection is closed silently, after its time and not before") {
  auto options = quick();
  options.timeouts.idle = options.timeouts.first_byte = 300ms;
  TestServer server(std::move(options));
  Wire silent(server.address());
  Wire kept(server.address());
  kept.say(ask);
  CHECK(kept.read_answer().status == 200);
  const auto start = Clock::now();
  CHECK(kept.ends_within(3s));
  CHECK(Clock::now() - start > 250ms);
  CHECK(silent.ends_within(3s));
  CHECK(comes_true([&] { return server.server().connections() == 0; }));
}

TEST_CASE("the first byte of a connection must come soon, and that of a later request may come late") {
  auto options = quick();
  options.timeouts.first_byte = 200ms;
  options.timeouts.idle = 60s;
  TestServer server(std::move(options));
  Wire kept(server.address());
  kept.say(ask);
  REQUIRE(kept.read_answer().status == 200);
  for (int i = 0; i < 2; ++i) CHECK(Wire(server.address()).ends_within(5s));
  CHECK_FALSE(kept.ends_within(300ms));
  kept.say(ask);
  CHECK(kept.read_answer().status == 200);
}

TEST_CASE("a client that does not take its answer is cut off, and other clients are not delayed") {
  TestServer server;
  Wire stuck(server.address());
  for (int i = 0; i < 8; ++i) stuck.say("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Wire other(server.address());
  other.say(ask);
  CHECK(other.read_answer(false, 300ms).status == 200);
  CHECK(comes_true([&] { return server.server().connections() == 1; }));
}

TEST_CASE("a large answer arrives whole") {
  TestServer server;
  Wire wire(server.address());
  wire.say("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(wire.read_answer().body == std::string(4 << 20, 'x'));
}

TEST_CASE("no answer waits for a delayed ACK") {
  TestServer server;
  Wire wire(server.address());
  std::vector<Clock::duration> times;
  for (int i = 0; i < 41; ++i) {
    const auto start = Clock::now();
    wire.say(ask);
    REQUIRE(wire.read_answer().status == 200);
    times.push_back(Clock::now() - start);
  }
  std::sort(times.begin(), times.end());
  CHECK(times[20] < 35ms);  // a delayed ACK takes 40
}

TEST_CASE("a connection above the limit gets a quick 503, and a later one a free slot") {
  auto options = quick();
  options.max_connections = 3;
  TestServer server(std::move(options));
  std::vector<Wire> kept;
  for (int i = 0; i < 3; ++i) {
    kept.emplace_back(server.address());
    kept.back().say(ask);
    REQUIRE(kept.back().read_answer().status == 200);
  }
  const auto start = Clock::now();
  for (int i = 0; i < 200; ++i) {
    Wire wire(server.address());
    wire.say("POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n");
    wire.say("{}");
    const auto answer = wire.read_answer();
    REQUIRE(answer.error() == "too_many_connections");
    REQUIRE(answer.status == 503);
    REQUIRE(answer.field("Retry-After") == "1");
    REQUIRE(answer.field("Connection") == "close");
  }
  CHECK(Clock::now() - start < 10s);
  CHECK(server.server().shedding().connections_refused() == 200);
  Wire slow(server.address());  // still sending when it is refused: it is not reset
  const auto answer = slow.read_answer();
  CHECK((slow.say("POST ") && slow.say("/v2/room_server")));
  CHECK(answer.status == 503);
  kept.pop_back();
  CHECK(comes_true([&] { return server.server().connections() == 2; }));
  Wire wire(server.address());
  wire.say(ask);
  CHECK(wire.read_answer().status == 200);
}

TEST_CASE("there are never more threads than connections are allowed") {
  auto options = quick();
  options.max_connections = 8;
  TestServer server(std::move(options));
  const auto before = threads_of_this_process();
  std::vector<std::thread> clients;
  for (int client = 0; client < 8; ++client) {
    clients.emplace_back([&] {
      for (int i = 0; i < 250; ++i) {
        Wire wire(server.address());
        wire.say(ask);
      }
    });
  }
  for (auto& client : clients) client.join();
  CHECK(comes_true([&] { return server.server().connections() == 0; }));
  CHECK(threads_of_this_process() <= before + 8 + static_cast<std::ptrdiff_t>(http::ConnectionSlots::reserved_slots));
}

TEST_CASE("a busy client does not delay other clients, and one connection may ask many times") {
  TestServer server;
  Wire busy(server.address());
  busy.say(ask_and_wait);
  CHECK(comes_true([&] { return server.waiting() == 1; }));
  Wire other(server.address());
  for (int i = 0; i < 250; ++i) {
    other.say(ask);
    REQUIRE(other.read_answer().status == 200);
  }
  server.release();
  CHECK(busy.read_answer().status == 200);
}

TEST_CASE("a server with 400 idle connections takes almost no CPU time, and answers a new request") {
  auto options = quick();
  options.timeouts.idle = options.timeouts.first_byte = 60s;
  TestServer server(std::move(options));
  std::vector<Wire> idle;
  for (int i = 0; i < 400; ++i) idle.emplace_back(server.address());
  CHECK(comes_true([&] { return server.server().connections() == 400; }));
  for (auto& wire : idle) wire.say(ask);
  for (auto& wire : idle) REQUIRE(wire.read_answer().status == 200);

  const auto before = server.server().heartbeats();
  const auto clock = std::clock();
  CHECK(comes_true([&] { return server.server().heartbeats() > before; }));  // a second, at most
  CHECK(comes_true([&] { return server.server().heartbeats() > before + 1; }));
  // comes_true itself looks a thousand times a second.
  CHECK(static_cast<double>(std::clock() - clock) / CLOCKS_PER_SEC < 0.25);

  Wire fresh(server.address());
  fresh.say(ask);
  CHECK(fresh.read_answer().status == 200);
}

TEST_CASE("stop ends at once without connections, before serve as well as after") {
  CHECK(shortest_of(5, [] {
          TestServer server;
          server.server().stop();
          server.server().stop();
          server.stop();
        }) < 900ms);
  CHECK(shortest_of(5, [] {
          http::Server server(quick(), {}, http::open_listeners("127.0.0.1:0"));
          server.stop();
          server.serve();
        }) < 900ms);
}

TEST_CASE("a stop loses no request of a kept connection, and answers new ones meanwhile") {
  CHECK(shortest_of(3, [] {
          TestServer server;
          Wire kept(server.address());
          kept.say(ask);
          REQUIRE(kept.read_answer().field("Connection") == "");
          server.server().stop();
          Wire fresh(server.address());
          fresh.say(ask);
          const auto answer = fresh.read_answer();
          CHECK(answer.status == 200);
          CHECK(answer.field("Connection") == "close");
          kept.say(ask);
          CHECK(kept.read_answer().field("Connection") == "close");
          server.stop();
          CHECK_FALSE(Wire(server.address()).connected());
        }) < 900ms);
}

TEST_CASE("a stop lets a begun request arrive, and answers it") {
  auto options = quick();
  options.timeouts = {60s, 60s, 60s, 60s};
  TestServer server(std::move(options));
  const std::string head = "POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\n";
  Wire half_body(server.address());
  half_body.say(head + "Content-Length: 4\r\n\r\nab");
  Wire half_head(server.address());
  half_head.say(head);
  REQUIRE(comes_true([&] { return server.server().connections() == 2; }));

  const auto start = Clock::now();
  server.server().stop();
  CHECK_FALSE(half_body.ends_within(2s));  // longer than the stop accepts connections
  half_body.say("cd");
  half_head.say("\r\n");
  for (Wire* wire : {&half_body, &half_head}) {
    const auto answer = wire->read_answer();
    CHECK(answer.status == 200);
    CHECK(answer.field("Connection") == "close");
  }
  server.stop();
  CHECK(Clock::now() - start < 3s);
}

TEST_CASE("a stop finishes requests under way, and closes unfinished ones without an answer") {
  auto options = quick();
  options.timeouts = {60s, 60s, 60s, 60s};
  TestServer server(std::move(options));
  Wire busy(server.address());
  busy.say(ask_and_wait);
  Wire idle(server.address());
  idle.say(ask);
  REQUIRE(idle.read_answer().status == 200);
  Wire half(server.address());
  half.say("GET /heal");
  Wire half_body(server.address());
  half_body.say("POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab");
  Wire silent(server.address());
  REQUIRE(comes_true([&] { return server.waiting() == 1 && server.server().connections() == 5; }));

  const auto start = Clock::now();
  server.server().stop();
  CHECK(idle.ends_within(2s));
  CHECK(silent.ends_within(2s));
  CHECK(half.ends_within(4s));
  CHECK(half_body.ends_within(1s));
  CHECK(Clock::now() - start > 2900ms);
  server.release();
  CHECK(busy.read_answer().field("Connection") == "close");
  server.stop();
  CHECK(Clock::now() - start < 4s);
}

TEST_CASE("a client that begins to ask during a stop is still answered") {
  for (int round = 0; round < 5; ++round) {
    TestServer server;
    std::vector<Wire> kept;
    for (int i = 0; i < 4; ++i) {
      kept.emplace_back(server.address());
      kept.back().say(ask);
      REQUIRE(kept.back().read_answer().status == 200);
    }
    std::thread stopping([&] { server.stop(); });
    for (auto& wire : kept) {
      wire.say(ask);
      CHECK(wire.read_answer().status == 200);
    }
    stopping.join();
  }
}
