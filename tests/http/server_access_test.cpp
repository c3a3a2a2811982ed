// Access, as seen over the wire (CONTRACT "Who may ask").
#include <string>
#include <vector>

#include "catch.h"
#include "http/test_server.h"
#include "http/wire.h"
#include "temporary_folder.h"

using namespace http_test;

namespace {

struct Case {
  std::string request;
  std::string fields;
  int status;
  std::string error;
};

void check_all(TestServer& server, const std::vector<Case>& cases) {
  for (const auto& one : cases) {
    CAPTURE(one.request, one.fields);
    Wire wire(server.address());
    wire.say(one.request + " HTTP/1.1\r\n" + one.fields + "\r\n");
    const auto answer = wire.read_answer();
    CHECK(answer.status == one.status);
    CHECK(answer.error() == one.error);
    CHECK((answer.field("WWW-Authenticate") == "Bearer") == (one.status == 401));
  }
}

}  // namespace

TEST_CASE("a server without a token accepts only local names, and only pages of the same origin") {
  TestServer server;
  const std::string page = "Origin: http://localhost:8082\r\n";
  check_all(server, {
                        {"GET /v2/rooms", "Host: localhost\r\n", 200, ""},
                        {"GET /v2/rooms", "Host: LOCALHOST:1\r\n", 200, ""},
                        {"GET /v2/rooms", "Host: 127.8.9.1:65535\r\n", 200, ""},
                        {"GET /v2/rooms", "Host: [::1]:8082\r\n", 200, ""},
                        {"GET /v2/rooms", "Host: example.com\r\n", 403, "foreign_host"},
                        {"GET /v2/rooms", "Host: 127.0.0.1.example.com\r\n", 403, "foreign_host"},
                        {"GET /healthz", "Host: example.com\r\n", 403, "foreign_host"},
                        {"GET /nothing", "Host: example.com\r\n", 403, "foreign_host"},
                        {"GET /v2/rooms", "Host:\r\n", 403, "foreign_host"},
                        {"GET /v2/rooms", "Host: localhost:8082\r\n" + page, 200, ""},
                        {"GET /v2/rooms", "Host: localhost:8083\r\n" + page, 403, "foreign_origin"},
                        {"GET /v2/rooms", "Host: localhost\r\nOrigin: http://example.com\r\n", 403, "foreign_origin"},
                        {"GET /v2/rooms", "Host: localhost\r\nOrigin: https://localhost\r\n", 403, "foreign_origin"},
                        {"GET /v2/rooms", "Host: localhost\r\nOrigin: null\r\n", 403, "foreign_origin"},
                        {"GET /v2/rooms", "Host: localhost\r\nOrigin:\r\n", 403, "foreign_origin"},
                        {"GET /v2/rooms", "Host: localhost:8082\r\n" + page + page, 403, "foreign_origin"},
                        {"GET /v2/rooms", "Host: example.com\r\nHost: localhost\r\n", 400, "invalid_request"},
                    });
}

TEST_CASE("the authority in a target counts instead of Host") {  // RFC 9112, 3.2.2
  TestServer server;
  const std::string local = "Host: localhost:8082\r\n";
  const std::string page = "Origin: http://localhost:8082\r\n";
  check_all(server, {
                        {"GET http://localhost/v2/rooms", local, 200, ""},
                        {"GET HTTP://127.0.0.1:9/v2/rooms", "Host: example.com\r\n", 200, ""},
                        {"GET http://example.com/v2/rooms", local, 403, "foreign_host"},
                        {"GET http://example.com/nothing", local, 403, "foreign_host"},
                        {"GET http://localhost@example.com/v2/rooms", local, 403, "foreign_host"},
                        {"GET http://localhost:8082/v2/rooms", "Host: example.com\r\n" + page, 200, ""},
                        {"GET http://localhost:1/v2/rooms", local + page, 403, "foreign_origin"},
                        {"GET http://localhost/v2/rooms", local + local, 400, "invalid_request"},
                        {"GET http:///v2/rooms", local, 400, "invalid_request"},
                        {"GET https://localhost/v2/rooms", local, 400, "invalid_request"},
                    });
}

TEST_CASE("a server with a token accepts any Host, and every request but the open ones needs the token") {
  auto options = quick();
  options.token = "abc.DEF-123";
  TestServer server(std::move(options));
  const std::string host = "Host: sidecar.example\r\n";
  check_all(server,
            {
                {"GET /v2/rooms", host + "Authorization: Bearer abc.DEF-123\r\n", 200, ""},
                {"GET /v2/rooms", host + "authorization: bearer  abc.DEF-123 \r\n", 200, ""},
                {"GET /v2/rooms", host, 401, "unauthorized"},
                {"GET /v2/rooms", host + "Authorization: Bearer abc.DEF-124\r\n", 401, "unauthorized"},
                {"GET /v2/rooms", host + "Authorization: Bearer abc.DEF-12\r\n", 401, "unauthorized"},
                {"GET /v2/rooms", host + "Authorization: Bearer abc.DEF-123abc.DEF-123\r\n", 401, "unauthorized"},
                {"GET /v2/rooms", host + "Authorization: Bearer\r\n", 401, "unauthorized"},
                {"GET /v2/rooms", host + "Authorization: Basic abc.DEF-123\r\n", 401, "unauthorized"},
                {"GET /v2/rooms", host + "Authorization: Bearer x\r\nAuthorization: Bearer abc.DEF-123\r\n", 401,
                 "unauthorized"},
                {"GET /nothing", host, 401, "unauthorized"},
                {"GET /nothing", host + "Authorization: Bearer abc.DEF-123\r\n", 404, "not_found"},
                {"GET /healthz", host, 200, ""},
                {"POST /healthz", host, 405, "method_not_allowed"},
                {"GET /", host, 200, ""},
                {"POST /", host, 401, "unauthorized"},
                {"GET /healthz", host + "Origin: http://example.com\r\n", 403, "foreign_origin"},
                {"GET /v2/rooms", host + "Origin: http://sidecar.example\r\n", 401, "unauthorized"},
            });
  server.server().replace_token("new");
  check_all(server, {
                        {"GET /v2/rooms", host + "Authorization: Bearer new\r\n", 200, ""},
                        {"GET /v2/rooms", host + "Authorization: Bearer abc.DEF-123\r\n", 401, "unauthorized"},
                    });
  server.server().replace_token(std::nullopt);
  check_all(server, {{"GET /v2/rooms", host, 403, "foreign_host"}});
}

TEST_CASE("answers to open requests say that other requests need a token, unless the right one was sent") {
  auto options = quick();
  options.token = "right";
  TestServer server(std::move(options));
  const auto reported = [&](const std::string& fields) {
    Wire wire(server.address());
    wire.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
    return wire.read_answer().field("Room-Sidecar-Token");
  };
  CHECK(reported("") == "wanted");
  CHECK(reported("Authorization: Bearer wrong\r\n") == "wanted");
  CHECK(reported("Authorization: Bearer right\r\n").empty());
  server.server().replace_token(std::nullopt);
  CHECK(reported("").empty());
}

TEST_CASE("a Unix socket ignores Host and Origin, but not the token") {
  auto options = quick();
  options.token = "t";
  const TemporaryFolder folder;
  TestServer server(std::move(options), "unix:" + folder.file("socket"));
  check_all(server, {
                        {"GET /v2/rooms", "Authorization: Bearer t\r\n", 200, ""},
                        {"GET /v2/rooms", "Host: x\r\nHost: y\r\nOrigin: z\r\nAuthorization: Bearer t\r\n", 200, ""},
                        {"GET /v2/rooms", "Host: localhost\r\n", 401, "unauthorized"},
                    });
}

TEST_CASE("a percent sign in a field is not decoded") {
  const std::string local = "Host: localhost\r\n";
  {
    TestServer server;
    check_all(server, {
                          {"GET /v2/rooms", "Host: %6cocalhost\r\n", 403, "foreign_host"},
                          {"GET /v2/rooms", local + "Origin: http://%6Cocalhost\r\n", 403, "foreign_origin"},
                          {"GET /v2/rooms", local + "Connection: clos%65\r\n", 200, ""},
                      });
    Wire wire(server.address());
    wire.say("GET /v2/rooms HTTP/1.1\r\n" + local + "X-Request-Id: a%41%u00e4%%0a%\r\n\r\n");
    CHECK(wire.read_answer().body.find("\"id\":\"a%41%u00e4%%0a%\"") != std::string::npos);
  }
  auto options = quick();
  options.token = "abc-def";
  TestServer server(std::move(options));
  check_all(server, {
                        {"GET /v2/rooms", local + "Authorization: Bearer abc-def\r\n", 200, ""},
                        {"GET /v2/rooms", local + "Authorization: Bearer abc%2Ddef\r\n", 401, "unauthorized"},
                        {"GET /v2/rooms", local + "Authorization: Bearer%20abc-def\r\n", 401, "unauthorized"},
                    });
}

TEST_CASE("the server's refusals bear the request id that was sent") {
  const std::string local = "Host: localhost\r\n";
  auto options = quick();
  options.token = "t";
  TestServer guarded(std::move(options));
  TestServer server;
  struct Asked {
    TestServer& server;
    std::string line, fields;
    int status;
  };
  const Asked cases[] = {
      {guarded, "GET /v2/rooms", local, 401},
      {server, "GET /v2/rooms", "Host: elsewhere\r\n", 403},
      {server, "GET /v2/rooms", local + "Origin: http://elsewhere\r\n", 403},
      {server, "GET /nowhere", local, 404},
      {server, "PATCH /v2/rooms", local, 405},
      {server, "POST /v2/room_server", local + "Content-Length: 65537\r\n", 413},
      {server, "GET /v2/rooms?a=%", local, 400},
      {server, "POST /v2/room_server", local + "Content-Length: 1\r\n", 408},
      {server, "POST /v2/room_server", local + "Content-Encoding: gzip\r\n", 415},
      {server, "GET /v2/rooms", local + local, 400},
      {server, "GET /busy", local, 503},
  };
  for (const Asked& one : cases) {
    CAPTURE(one.line, one.fields);
    const auto ask = [&](const std::string& id) {
      Wire wire(one.server.address());
      wire.say(one.line + " HTTP/1.1\r\nX-Request-Id: " + id + "\r\n" + one.fields + "\r\n");
      return wire.read_answer();
    };
    const auto answer = ask("req-1");
    CHECK(answer.status == one.status);
    CHECK(answer.field("X-Request-Id") == "req-1");
    CHECK(answer.head.find("X-Request-Id") == answer.head.rfind("X-Request-Id"));
    if (one.line != "GET /busy") CHECK(ask("for\"ged").field("X-Request-Id").empty());
  }
  Wire wire(server.address());
  wire.say("GET /v2/rooms HTTP/1.1\r\nX-Request-Id: req-1\r\nno field\r\n\r\n");
  const auto answer = wire.read_answer();
  CHECK(answer.status == 400);
  CHECK(answer.field("X-Request-Id").empty());
}

TEST_CASE("a field of many KiB is refused only where its value counts, and not as a malformed request") {
  const std::string local = "Host: localhost\r\n";
  for (const std::string& much :
       {std::string(8150, 'a'), std::string(9000, 'a'), std::string(15000, 'a'), std::string(8000, '%')}) {
    CAPTURE(much.size(), much[0]);
    TestServer server;
    check_all(server,
              {
                  {"GET /v2/rooms", "Host: " + much + "\r\n", 403, "foreign_host"},
                  {"GET /v2/rooms", local + "Origin: http://" + much + "\r\n", 403, "foreign_origin"},
                  {"GET /v2/rooms", local + "Authorization: Bearer " + much + "\r\n", 200, ""},
                  {"GET /v2/rooms", local + "X-Request-Id: " + much + "\r\n", 200, ""},
                  {"POST /v2/room_server", local + "Content-Length: " + much + "\r\n", 400, "invalid_request"},
                  {"POST /v2/room_server", local + "Transfer-Encoding: " + much + "\r\n", 400, "invalid_request"},
                  {"POST /v2/room_server", local + "Content-Encoding: " + much + "\r\n", 415, "unsupported_encoding"},
              });
    auto options = quick();
    options.token = "t";
    TestServer guarded(std::move(options));
    check_all(guarded,
              {
                  {"GET /v2/rooms", local + "Authorization: Bearer " + much + "\r\n", 401, "unauthorized"},
                  {"GET /v2/rooms", "Host: " + much + "\r\nAuthorization: Bearer t\r\n", 200, ""},
                  {"GET /v2/rooms", "Host: " + much + "\r\nOrigin: http://localhost\r\nAuthorization: Bearer t\r\n",
                   403, "foreign_origin"},
              });
  }
}

TEST_CASE("a web page's 403 comes before any check but that of the request's form") {
  auto options = quick();
  options.token = "t";
  TestServer server(std::move(options));
  check_all(server,
            {
                {"BREW /nothing", "Host: a\r\nOrigin: b\r\nContent-Length: 99999999\r\n", 403, "foreign_origin"},
                {"GET /%", "Host: a\r\nOrigin: b\r\n", 400, "invalid_path"},
                {"POST /v2/room_server", "Host: a\r\nContent-Length: 99999999\r\n", 401, "unauthorized"},
                {"GET /v2/room_server", "Host: a\r\nContent-Length: 99999999\r\n", 401, "unauthorized"},
            });
}
