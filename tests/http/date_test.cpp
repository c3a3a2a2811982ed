// The field Date, as text and in every answer.
#include <ctime>
#include <string>

#include "catch.h"
#include "http/date.h"
#include "http/test_server.h"
#include "http/wire.h"

using namespace http_test;

namespace {

// Does it bear the time at which it was made, once?
bool is_dated(const WireAnswer& answer, std::time_t asked_at) {
  const auto first = answer.head.find("\r\nDate: ");
  if (first == std::string::npos || answer.head.find("\r\nDate: ", first + 1) != std::string::npos) return false;
  const auto date = answer.field("Date");
  for (std::time_t time = asked_at - 1; time <= std::time(nullptr); ++time) {
    if (date == http::to_http_date(time)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a time is written as an HTTP date") {
  CHECK(http::to_http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110's own example
  CHECK(http::to_http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http::to_http_date(951782400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(http::to_http_date(4102444799) == "Thu, 31 Dec 2099 23:59:59 GMT");
  const auto before = std::time(nullptr);
  const std::string now(http::http_date());
  CHECK((now == http::to_http_date(before) || now == http::to_http_date(std::time(nullptr))));
}

TEST_CASE("every answer bears its date, also a refusal and a shed connection's") {
  auto options = quick();
  options.max_connections = 1;
  TestServer server(std::move(options));
  const std::string host = "Host: localhost\r\n";
  const auto ask = [&](const std::string& request, int status) {
    CAPTURE(request);
    REQUIRE(comes_true([&] { return server.server().connections() == 0; }));
    const auto asked_at = std::time(nullptr);
    Wire wire(server.address());
    wire.say(request);
    const auto answer = wire.read_answer(request.rfind("HEAD", 0) == 0);
    CHECK(answer.status == status);
    CAPTURE(answer.head);
    CHECK(is_dated(answer, asked_at));
  };
  ask("GET /healthz HTTP/1.1\r\n" + host + "\r\n", 200);
  ask("HEAD /healthz HTTP/1.1\r\n" + host + "\r\n", 200);
  ask("GET /healthz HTTP/1.0\r\n\r\n", 200);
  ask("nonsense\r\n\r\n", 400);
  ask("GET /healthz HTTP/1.1\r\n\r\n", 400);
  ask("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403);
  ask("GET /nowhere HTTP/1.1\r\n" + host + "\r\n", 404);
  ask("PATCH /healthz HTTP/1.1\r\n" + host + "\r\n", 405);
  ask("GET /heal", 408);
  ask("POST /v2/room_server HTTP/1.1\r\n" + host + "Content-Length: 99999\r\n\r\n", 413);
  ask("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414);
  ask("GET /healthz HTTP/1.1\r\n" + host + "X: " + std::string(20000, 'a') + "\r\n\r\n", 431);
  ask("GET /throw HTTP/1.1\r\n" + host + "\r\n", 500);
  ask("GET /busy HTTP/1.1\r\n" + host + "\r\n", 503);

  REQUIRE(comes_true([&] { return server.server().connections() == 0; }));
  Wire kept(server.address());
  kept.say("GET /healthz HTTP/1.1\r\n" + host + "\r\n");
  REQUIRE(kept.read_answer().status == 200);
  const auto asked_at = std::time(nullptr);
  const auto shed = Wire(server.address()).read_answer();
  CHECK(shed.error() == "too_many_connections");
  CHECK(is_dated(shed, asked_at));
}
