// Full servers: which connections get a slot, which give way, and which requests are answered all the same.
#include <list>
#include <string>
#include <vector>

#include "catch.h"
#include "http/client.h"
#include "http/test_server.h"
#include "http/wire.h"
#include "temporary_folder.h"

using namespace http_test;

namespace {

const std::string local = "Host: localhost\r\n";
const std::string bears_token = local + "Authorization: Bearer t\r\n";
const std::string probe = "GET /healthz HTTP/1.1\r\n" + local + "\r\n";

std::string ask(const std::string& fields = local) { return "GET /v2/rooms HTTP/1.1\r\n" + fields + "\r\n"; }

WireAnswer answer_to(Wire& wire, const std::string& request) {
  wire.say(request);
  return wire.read_answer();
}

http::ServerOptions with(std::size_t connections, std::optional<std::string> token = std::nullopt) {
  auto options = quick();
  options.max_connections = connections;
  options.token = std::move(token);
  options.timeouts = {60s, 60s, 60s, 60s, 60s};  // no connection ends by itself
  return options;
}

// Connections that have had an authorised answer, and stay. With few slots a new connection may find every other one
// still worked for.
std::list<Wire> kept_by(TestServer& server, std::size_t count, const std::string& fields = local) {
  std::list<Wire> kept;
  const auto one_more = [&] {
    if (answer_to(kept.emplace_back(server.address()), ask(fields)).status == 200) return true;
    kept.pop_back();
    return false;
  };
  while (kept.size() < count) REQUIRE(comes_true(one_more));
  return kept;
}

}  // namespace

TEST_CASE("silent connections shut no client out, and answered clients keep their connections") {
  TestServer server(with(4));
  std::list<Wire> silent;
  for (int i = 0; i < 20; ++i) silent.emplace_back(server.address());
  auto kept = kept_by(server, 4);
  for (Wire& wire : silent) CHECK(wire.ends_within(30s));
  for (Wire& wire : kept) CHECK(answer_to(wire, ask()).status == 200);
  CHECK(server.server().shedding().connections_displaced() == 20);
  CHECK(server.server().shedding().connections_refused() == 0);
  CHECK(comes_true([&] { return server.server().connections() == 4; }));
}

TEST_CASE("a slow probe is answered, though silent new connections have taken its slot") {
  auto options = with(2);
  options.timeouts.reserved = 60s;
  TestServer server(options);
  auto kept = kept_by(server, 1);
  Wire slow(server.address()), slow_command(server.address()), slow_other(server.address());
  std::list<Wire> silent;
  for (int i = 0; i < 6; ++i) silent.emplace_back(server.address());
  CHECK(comes_true([&] { return server.server().connections() == 10; }));
  CHECK(answer_to(slow, probe).status == 200);
  CHECK(answer_to(slow_command, "GET /v2/rooms HTTP/1.1\r\n" + local + "Room-Sidecar-Client: command\r\n\r\n").status ==
        200);
  CHECK(answer_to(slow_other, ask()).error() == "too_many_connections");
  CHECK(server.server().shedding().connections_displaced() == 0);
}

TEST_CASE("slow heads, slow bodies and unread answers shut no client out") {
  for (const std::string& slow :
       {std::string("GET /v2/ro"), "POST /v2/room_server HTTP/1.1\r\n" + local + "Content-Length: 9\r\n\r\n1",
        "PUT /large HTTP/1.1\r\n" + local + "\r\n"}) {
    CAPTURE(slow);
    TestServer server(with(2));
    Wire first(server.address()), second(server.address());
    for (Wire* wire : {&first, &second}) wire->say(slow);
    auto new_ones = kept_by(server, 2);
    CHECK(comes_true([&] { return server.server().connections() == 2; }));
  }
}

TEST_CASE("an open request does not authorise a connection where a token is needed") {
  TestServer server(with(2, "t"));
  std::list<Wire> strangers;
  for (const auto& request : {probe, ask()}) answer_to(strangers.emplace_back(server.address()), request);
  auto kept = kept_by(server, 2, bears_token);
  for (Wire& wire : strangers) CHECK(wire.ends_within(30s));
  server.server().replace_token("t");  // read again
  Wire refused(server.address());
  CHECK(answer_to(refused, ask(bears_token)).error() == "too_many_connections");
  server.server().replace_token("new");
  auto fresh = kept_by(server, 2, local + "Authorization: Bearer new\r\n");
  for (Wire& wire : kept) CHECK(wire.ends_within(30s));
}

TEST_CASE("probes and commands are answered although all slots are taken, and their connections closed") {
  TestServer server(with(2));
  auto kept = kept_by(server, 2);
  for (int i = 0; i < 20; ++i) {
    Wire wire(server.address());
    const auto answer = answer_to(wire, probe);
    CHECK(answer.status == 200);
    CHECK(answer.field("Connection") == "close");
    CHECK(http::Client(server.address()).request("GET", "/v2/rooms").status == 200);
    Wire other(server.address());
    CHECK(answer_to(other, ask()).error() == "too_many_connections");
  }
  CHECK(server.server().shedding().connections_refused() == 20);
  Wire report(server.address());
  CHECK(answer_to(report, "PUT /v2/sessions HTTP/1.1\r\n" + local + "\r\n").error() == "too_many_connections");
  CHECK(server.server().shedding().session_reports_refused() == 1);
  CHECK(server.server().shedding().refuses_session_reports());
}

TEST_CASE("silent connections in the reserved slots keep no probe out, and get a 503") {
  auto options = with(1);
  options.timeouts.reserved = 60s;
  TestServer server(std::move(options));
  auto kept = kept_by(server, 1);
  std::list<Wire> silent;
  for (int i = 0; i < 30; ++i) silent.emplace_back(server.address());
  Wire wire(server.address());
  CHECK(answer_to(wire, probe).status == 200);

  TestServer quick_one(with(1));
  auto kept_there = kept_by(quick_one, 1);
  CHECK(Wire(quick_one.address()).read_answer().error() == "too_many_connections");
}

TEST_CASE("a reserved slot asks for the token where one is needed") {
  TestServer server(with(1, "t"));
  auto kept = kept_by(server, 1, bears_token);
  CHECK(http::Client(server.address()).request("GET", "/v2/rooms").status == 401);
  CHECK(http::Client(server.address(), "t").request("GET", "/v2/rooms").status == 200);
}

TEST_CASE("a full listener shuts no client out of another one") {
  const TemporaryFolder folder;
  auto listeners = http::open_listeners("127.0.0.1:0");
  listeners.push_back(http::open_listeners("unix:" + folder.file("s")).front());
  TestServer server(with(4), std::move(listeners));
  auto kept = kept_by(server, 2);
  Wire third(server.address());
  CHECK(answer_to(third, ask()).error() == "too_many_connections");
  std::list<Wire> others;
  for (int i = 0; i < 2; ++i) {
    CHECK(answer_to(others.emplace_back("unix:" + folder.file("s")), ask()).status == 200);
  }
}
