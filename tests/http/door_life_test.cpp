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
#include "http/connections.h"
#include "http/test_door.h"
#include "http/wire.h"

using namespace http_test;

namespace {

using Clock = std::chrono::steady_clock;

const std::string ask = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const std::string ask_and_wait = "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n";

// So that a busy machine does not count.
Clock::duration shortest_of(int times, const std::function<void()>& deed) {
  auto shortest = Clock::duration::max();
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    deed();
    shortest = std::min(shortest, Clock::now() - start);
  }
  return shortest;
}

std::ptrdiff_t threads_of_this_process() {
  const auto tasks = std::filesystem::directory_iterator("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

// Says a byte now and then until the other side has had enough.
WireAnswer trickle(Wire& wire, std::string_view bytes) {
  for (const char c : bytes) {
    auto answer = wire.hear(false, 50ms);
    if (answer.status != 0) return answer;
    if (!wire.say({&c, 1})) break;
  }
  return wire.hear();
}

}  // namespace

TEST_CASE("a trickling head and a trickling body are cut off with 408") {
  TestDoor door;
  {
    Wire wire(door.address());
    const auto start = Clock::now();
    CHECK(trickle(wire, "GET /" + std::string(500, 'a')).error() == "request_timeout");
    CHECK(Clock::now() - start < 3s);
    CHECK(wire.ends_within(2s));
  }
  const std::string head = "POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\n";
  for (const std::string& framing :
       std::vector<std::string>{"Content-Length: 500\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"}) {
    Wire wire(door.address());
    wire.say(head + framing);
    CHECK(trickle(wire, std::string(500, '0')).error() == "request_timeout");
    CHECK(wire.ends_within(2s));
  }
}

TEST_CASE("an idle connection is closed without a word, after its time and not before") {
  auto options = quick();
  options.timeouts.idle = options.timeouts.first_byte = 300ms;
  TestDoor door(std::move(options));
  Wire silent(door.address());
  Wire kept(door.address());
  kept.say(ask);
  CHECK(kept.hear().status == 200);
  const auto start = Clock::now();
  CHECK(kept.ends_within(3s));
  CHECK(Clock::now() - start > 250ms);
  CHECK(silent.ends_within(3s));
  CHECK(comes_true([&] { return door.door().connections() == 0; }));
}

TEST_CASE("the first byte must come soon, that of a later request may take its time") {
  auto options = quick();
  options.timeouts.first_byte = 200ms;
  options.timeouts.idle = 60s;
  TestDoor door(std::move(options));
  Wire kept(door.address());
  kept.say(ask);
  REQUIRE(kept.hear().status == 200);
  for (int i = 0; i < 2; ++i) CHECK(Wire(door.address()).ends_within(5s));
  CHECK_FALSE(kept.ends_within(300ms));
  kept.say(ask);
  CHECK(kept.hear().status == 200);
}

TEST_CASE("a client that does not take its answer is left, and others are not delayed") {
  TestDoor door;
  Wire stuck(door.address());
  for (int i = 0; i < 8; ++i) stuck.say("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Wire other(door.address());
  other.say(ask);
  CHECK(other.hear(false, 300ms).status == 200);
  CHECK(comes_true([&] { return door.door().connections() == 1; }));
}

TEST_CASE("a large answer arrives whole") {
  TestDoor door;
  Wire wire(door.address());
  wire.say("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(wire.hear().body == std::string(4 << 20, 'x'));
}

TEST_CASE("no answer waits for a delayed ACK") {
  TestDoor door;
  Wire wire(door.address());
  std::vector<Clock::duration> times;
  for (int i = 0; i < 41; ++i) {
    const auto start = Clock::now();
    wire.say(ask);
    REQUIRE(wire.hear().status == 200);
    times.push_back(Clock::now() - start);
  }
  std::sort(times.begin(), times.end());
  CHECK(times[20] < 35ms);  // a delayed ACK takes 40
}

TEST_CASE("above the limit a connection gets a quick 503, and a place again when one is free") {
  auto options = quick();
  options.max_connections = 3;
  TestDoor door(std::move(options));
  std::vector<Wire> kept;
  for (int i = 0; i < 3; ++i) {
    kept.emplace_back(door.address());
    kept.back().say(ask);
    REQUIRE(kept.back().hear().status == 200);
  }
  const auto start = Clock::now();
  for (int i = 0; i < 200; ++i) {
    Wire wire(door.address());
    wire.say("POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n");
    wire.say("{}");
    const auto answer = wire.hear();
    REQUIRE(answer.error() == "too_many_connections");
    REQUIRE(answer.status == 503);
    REQUIRE(answer.field("Retry-After") == "1");
    REQUIRE(answer.field("Connection") == "close");
  }
  CHECK(Clock::now() - start < 10s);
  CHECK(door.door().shedding().connections_refused() == 200);
  Wire slow(door.address());  // still sending when it is turned away: nothing resets it
  const auto answer = slow.hear();
  CHECK((slow.say("POST ") && slow.say("/v2/room_server")));
  CHECK(answer.status == 503);
  kept.pop_back();
  CHECK(comes_true([&] { return door.door().connections() == 2; }));
  Wire wire(door.address());
  wire.say(ask);
  CHECK(wire.hear().status == 200);
}

TEST_CASE("there are never more threads than connections are allowed") {
  auto options = quick();
  options.max_connections = 8;
  TestDoor door(std::move(options));
  const auto before = threads_of_this_process();
  std::vector<std::thread> clients;
  for (int client = 0; client < 8; ++client) {
    clients.emplace_back([&] {
      for (int i = 0; i < 250; ++i) {
        Wire wire(door.address());
        wire.say(ask);
      }
    });
  }
  for (auto& client : clients) client.join();
  CHECK(comes_true([&] { return door.door().connections() == 0; }));
  CHECK(threads_of_this_process() <= before + 8 + static_cast<std::ptrdiff_t>(http::Connections::reserved_slots));
}

TEST_CASE("a busy client does not delay others, and one connection may ask many times") {
  TestDoor door;
  Wire busy(door.address());
  busy.say(ask_and_wait);
  CHECK(comes_true([&] { return door.waiting() == 1; }));
  Wire other(door.address());
  for (int i = 0; i < 250; ++i) {
    other.say(ask);
    REQUIRE(other.hear().status == 200);
  }
  door.release();
  CHECK(busy.hear().status == 200);
}

TEST_CASE("400 idle connections cost nothing, and a fresh request is quick beside them") {
  auto options = quick();
  options.timeouts.idle = options.timeouts.first_byte = 60s;
  TestDoor door(std::move(options));
  std::vector<Wire> idle;
  for (int i = 0; i < 400; ++i) idle.emplace_back(door.address());
  CHECK(comes_true([&] { return door.door().connections() == 400; }));
  for (auto& wire : idle) wire.say(ask);
  for (auto& wire : idle) REQUIRE(wire.hear().status == 200);

  const auto before = door.door().heartbeats();
  const auto clock = std::clock();
  CHECK(comes_true([&] { return door.door().heartbeats() > before; }));  // a second, at most
  CHECK(comes_true([&] { return door.door().heartbeats() > before + 1; }));
  // comes_true itself looks a thousand times a second.
  CHECK(static_cast<double>(std::clock() - clock) / CLOCKS_PER_SEC < 0.25);

  Wire fresh(door.address());
  fresh.say(ask);
  CHECK(fresh.hear().status == 200);
}

TEST_CASE("stop ends at once when nobody is there, before serve as well as after") {
  CHECK(shortest_of(5, [] {
          TestDoor door;
          door.door().stop();
          door.door().stop();
          door.stop();
        }) < 900ms);
  CHECK(shortest_of(5, [] {
          http::Door door(quick(), {}, http::open_listeners("127.0.0.1:0"));
          door.stop();
          door.serve();
        }) < 900ms);
}

TEST_CASE("stopping loses no request of a kept connection, and takes new ones meanwhile") {
  CHECK(shortest_of(3, [] {
          TestDoor door;
          Wire kept(door.address());
          kept.say(ask);
          REQUIRE(kept.hear().field("Connection") == "");
          door.door().stop();
          Wire fresh(door.address());
          fresh.say(ask);
          const auto answer = fresh.hear();
          CHECK(answer.status == 200);
          CHECK(answer.field("Connection") == "close");
          kept.say(ask);
          CHECK(kept.hear().field("Connection") == "close");
          door.stop();
          CHECK_FALSE(Wire(door.address()).connected());
        }) < 900ms);
}

TEST_CASE("stopping lets a begun request come in and answers it") {
  auto options = quick();
  options.timeouts = {60s, 60s, 60s, 60s};
  TestDoor door(std::move(options));
  const std::string head = "POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\n";
  Wire half_body(door.address());
  half_body.say(head + "Content-Length: 4\r\n\r\nab");
  Wire half_head(door.address());
  half_head.say(head);
  REQUIRE(comes_true([&] { return door.door().connections() == 2; }));

  const auto start = Clock::now();
  door.door().stop();
  CHECK_FALSE(half_body.ends_within(2s));  // longer than anybody is accepted
  half_body.say("cd");
  half_head.say("\r\n");
  for (Wire* wire : {&half_body, &half_head}) {
    const auto answer = wire->hear();
    CHECK(answer.status == 200);
    CHECK(answer.field("Connection") == "close");
  }
  door.stop();
  CHECK(Clock::now() - start < 3s);
}

TEST_CASE("stopping finishes what is under way, and in the end closes without a false answer") {
  auto options = quick();
  options.timeouts = {60s, 60s, 60s, 60s};
  TestDoor door(std::move(options));
  Wire busy(door.address());
  busy.say(ask_and_wait);
  Wire idle(door.address());
  idle.say(ask);
  REQUIRE(idle.hear().status == 200);
  Wire half(door.address());
  half.say("GET /heal");
  Wire half_body(door.address());
  half_body.say("POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab");
  Wire silent(door.address());
  REQUIRE(comes_true([&] { return door.waiting() == 1 && door.door().connections() == 5; }));

  const auto start = Clock::now();
  door.door().stop();
  CHECK(idle.ends_within(2s));
  CHECK(silent.ends_within(2s));
  CHECK(half.ends_within(4s));
  CHECK(half_body.ends_within(1s));
  CHECK(Clock::now() - start > 2900ms);
  door.release();
  CHECK(busy.hear().field("Connection") == "close");
  door.stop();
  CHECK(Clock::now() - start < 4s);
}

TEST_CASE("a client that begins to ask while the door closes is still answered") {
  for (int round = 0; round < 5; ++round) {
    TestDoor door;
    std::vector<Wire> kept;
    for (int i = 0; i < 4; ++i) {
      kept.emplace_back(door.address());
      kept.back().say(ask);
      REQUIRE(kept.back().hear().status == 200);
    }
    std::thread stopping([&] { door.stop(); });
    for (auto& wire : kept) {
      wire.say(ask);
      CHECK(wire.hear().status == 200);
    }
    stopping.join();
  }
}
