// The server's answers to requests over the wire.
#include <string>
#include <vector>

#include "catch.h"
#include "http/test_server.h"
#include "http/wire.h"

using namespace http_test;

namespace {

struct Case {
  const char* what;
  std::string sent;
  int status;
  std::string error;       // the code, of a refusal
  bool closes = false;     // is the connection ended after it?
  std::string holds = {};  // something that the body holds
};

std::string chunked(const std::string& chunks, const std::string& fields = "") {
  return "POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\n" + fields + "Transfer-Encoding: chunked\r\n\r\n" +
         chunks;
}

std::string post(const std::string& fields, const std::string& body = "") {
  return "POST /v2/room_server HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body;
}

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

std::string many_fields(int count) {
  std::string fields;
  for (int i = 0; i < count; ++i) fields += "X-" + std::to_string(i) + ": y\r\n";
  return fields;
}

void check(TestServer& server, const Case& one) {
  CAPTURE(one.what);
  Wire wire(server.address());
  REQUIRE(wire.say(one.sent));
  const auto answer = wire.read_answer(one.sent.rfind("HEAD", 0) == 0);
  CAPTURE(answer.head, answer.body);
  CHECK(answer.status == one.status);
  CHECK(answer.error() == one.error);
  CHECK(answer.body.find(one.holds) != std::string::npos);
  CHECK(answer.field("Content-Type") == "application/json");
  CHECK(answer.field("Content-Encoding") == "");
  CHECK((answer.field("Connection") == "close") == one.closes);
  if (one.closes) {
    CHECK(wire.ends_within(2s));
  } else {
    REQUIRE(wire.say(get("/healthz")));  // and nothing of it was left in the stream
    CHECK(wire.read_answer().status == 200);
  }
}

void check_all(TestServer& server, const std::vector<Case>& cases) {
  for (const auto& one : cases) check(server, one);
}

}  // namespace

TEST_CASE("well-formed requests are answered, however unusual their fields") {
  TestServer server;
  check_all(
      server,
      {
          {"a body", post("Content-Length: 2\r\n", "{}"), 200, "", false, "\"body\":\"{}\""},
          {"no length", post(""), 200, "", false, "\"size\":0"},
          {"length 0", post("Content-Length: 0\r\n"), 200, "", false, "\"size\":0"},
          {"a form", post("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n", "a=%41&b"), 200,
           "", false, "\"body\":\"a=%41&b\""},
          {"multipart", post("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 3\r\n", "--x"), 200, "",
           false, "\"body\":\"--x\""},
          {"Accept-Encoding", get("/v2/rooms", "Accept-Encoding: gzip, br\r\n"), 200, ""},
          {"Range", get("/v2/rooms", "Range: bytes=0-3\r\n"), 200, "", false, "\"args\":[]"},
          {"a bad Range", get("/v2/rooms", "Range: lines=9\r\n"), 200, ""},
          {"an empty field", get("/v2/rooms", "X-Empty:\r\n"), 200, ""},
          {"64 fields", get("/v2/rooms", many_fields(63)), 200, ""},
          {"a tab in a value", get("/v2/rooms", "X-Tab: a\tb\r\n"), 200, ""},
          {"an empty line before", "\r\n" + get("/v2/rooms"), 200, ""},
          {"X-Request-Id", get("/v2/rooms", "x-request-id: r1\r\n"), 200, "", false, "\"id\":\"r1\""},
          {"HEAD", "HEAD /v2/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, ""},
          {"a GET with a body", "GET /v2/rooms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 200, "",
           false, "\"size\":3"},
          {"a DELETE with chunks",
           "DELETE /v2/rooms/1/sessions/2 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
           "1\r\na\r\n0\r\n\r\n",
           200, "", false, "\"size\":1"},
          {"a proxy's target", "GET http://localhost/v2/rooms?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "", false,
           "\"query\":[\"a\",\"b\"]"},
          {"a proxy's target, and a Host that says otherwise",
           "GET http://localhost:1/v2/rooms HTTP/1.1\r\nHost: evil.example\r\n\r\n", 200, ""},
          {"a proxy's target in 1.0, without Host", "GET http://[::1]/v2/rooms HTTP/1.0\r\n\r\n", 200, "", true},
          {"two question marks", get("/v2/rooms?a=b?c"), 200, "", false, "[\"a\",\"b?c\"]"},
          {"a query of question marks", get("/v2/rooms?" + std::string(8000, '?')), 200, ""},
          {"a proxy's target without a path", "GET http://localhost?a HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "",
           false, "\"query\":[\"a\",\"\"]"},
          {"plus and percent in a query", get("/v2/rooms?a=b+c%20d&e"), 200, "", false, "[\"a\",\"b+c d\",\"e\",\"\"]"},
          {"Connection: close", get("/v2/rooms", "Connection: x, Close\r\n"), 200, "", true},
          {"HTTP/1.0", "GET /v2/rooms HTTP/1.0\r\n\r\n", 200, "", true},
          {"HTTP/1.0 kept", "GET /v2/rooms HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 200, ""},
      });
}

TEST_CASE("a path is split as it was sent, and only its ids are decoded") {
  TestServer server;
  const auto put = [](const std::string& path) { return "PUT " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"; };
  check_all(server, {
                        {"plain", put("/v2/rooms/2171/sessions/s"), 200, "", false, "[\"2171\",\"s\"]"},
                        {"a slash inside", put("/v2/rooms/a%2Fb/sessions/s"), 200, "", false, "[\"a/b\",\"s\"]"},
                        {"a plus", put("/v2/rooms/a+b/sessions/%2b"), 200, "", false, "[\"a+b\",\"+\"]"},
                        {"raw UTF-8", put("/v2/rooms/\xc3\xa4/sessions/s"), 200, "", false, "[\"\xc3\xa4\",\"s\"]"},
                        {"a letter of an id encoded", put("/v2/rooms/%31/sessions/s"), 200, "", false, "[\"1\",\"s\"]"},
                        {"a letter of a name encoded", put("/v2/r%6Foms/1/sessions/s"), 404, "not_found"},
                        {"a whole name encoded", put("/v2/%73%65%73%73%69%6f%6e%73"), 404, "not_found"},
                        {"a slash encoded", put("/v2%2Fsessions"), 404, "not_found"},
                        {"a probe encoded", get("/%68ealthz"), 404, "not_found"},
                        {"a query", put("/v2/rooms/1/sessions/s?x=/"), 200, "", false, "[\"x\",\"/\"]"},
                        {"percent zz", put("/v2/rooms/%zz/sessions/s"), 400, "invalid_path", true},
                        {"percent at the end", put("/v2/rooms/1/sessions/%4"), 400, "invalid_path", true},
                        {"percent u", put("/v2/rooms/%u0041/sessions/s"), 400, "invalid_path", true},
                        {"a bad query", put("/v2/rooms/1/sessions/s?a=%"), 400, "invalid_query"},
                        {"an empty segment", put("/v2/rooms//sessions/s"), 404, "not_found"},
                        {"a slash too many", put("/v2/rooms/1/sessions/s/"), 404, "not_found"},
                    });
}

TEST_CASE("an unknown path is answered 404, and a wrong method 405") {
  TestServer server;
  check_all(server,
            {
                {"unknown", get("/v2/nothing"), 404, "not_found"},
                {"case matters", get("/V2/rooms"), 404, "not_found"},
                {"unknown with a body", "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\na", 404,
                 "not_found", true},
                {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "method_not_allowed"},
                {"wrong", get("/v2/room_server"), 405, "method_not_allowed"},
                {"OPTIONS", "OPTIONS /v2/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "method_not_allowed"},
                {"TRACE", "TRACE /v2/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "method_not_allowed"},
                {"an invented one", "BREW /v2/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "method_not_allowed"},
                {"lower case", "get /v2/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "method_not_allowed"},
                {"before the size",
                 "PATCH /v2/room_server HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                 "999999\r\n\r\n",
                 405, "method_not_allowed", true},
            });
  Wire wire(server.address());
  wire.say("POST /v2/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(wire.read_answer().field("Allow") == "GET, HEAD");
  wire.say("GET /v2/rooms/1/sessions/2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(wire.read_answer().field("Allow") == "PUT, DELETE");
}

TEST_CASE("a request that two programs could read differently is refused, and ends the connection") {
  TestServer server;
  const std::string bad = "invalid_request";
  const std::string host = "Host: localhost\r\n";
  check_all(server,
            {
                {"both lengths", chunked("0\r\n\r\n", "Content-Length: 5\r\n"), 400, bad, true},
                {"two equal lengths", post("Content-Length: 1\r\nContent-Length: 1\r\n", "a"), 400, bad, true},
                {"length +5", post("Content-Length: +5\r\n", "abcde"), 400, bad, true},
                {"length 5, 5", post("Content-Length: 5, 5\r\n", "abcde"), 400, bad, true},
                {"length 0x5", post("Content-Length: 0x5\r\n", "abcde"), 400, bad, true},
                {"length -1", post("Content-Length: -1\r\n"), 400, bad, true},
                {"length empty", post("Content-Length:\r\n"), 400, bad, true},
                {"length %35", post("Content-Length: %35\r\n", "abcde"), 400, bad, true},
                {"length 2^64", post("Content-Length: 18446744073709551616\r\n"), 400, bad, true},
                {"identity", post("Transfer-Encoding: identity\r\n"), 400, bad, true},
                {"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n"), 400, bad, true},
                {"chunked twice", chunked("0\r\n\r\n", "Transfer-Encoding: chunked\r\n"), 400, bad, true},
                {"chunked in 1.0", "POST /v2/room_server HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
                 bad, true},
                {"no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400, bad, true},
                {"two Hosts", "GET /healthz HTTP/1.1\r\n" + host + host + "\r\n", 400, bad, true},
                {"an authority and no Host", "GET http://localhost/healthz HTTP/1.1\r\n\r\n", 400, bad, true},
                {"an empty authority", "GET http:///healthz HTTP/1.1\r\n" + host + "\r\n", 400, bad, true},
                {"a blank before the colon", post("Content-Length : 5\r\n", "abcde"), 400, bad, true},
                {"a folded line", post("X-A: b\r\n c\r\n"), 400, bad, true},
                {"no colon", post("X-A\r\n"), 400, bad, true},
                {"no name", post(": a\r\n"), 400, bad, true},
                {"a bare LF", "GET /healthz HTTP/1.1\nHost: localhost\n\n", 400, bad, true},
                {"a bare LF inside", post("X-A: b\nContent-Length: 5\r\n", "abcde"), 400, bad, true},
                {"a bare CR", post("X-A: b\rContent-Length: 5\r\n"), 400, bad, true},
                {"a NUL", post(std::string("X-A: \0b\r\n", 9)), 400, bad, true},
                {"two blanks", "GET  /healthz HTTP/1.1\r\n" + host + "\r\n", 400, bad, true},
                {"no version", "GET /healthz\r\n" + host + "\r\n", 400, bad, true},
                {"HTTP/2.0", "GET /healthz HTTP/2.0\r\n" + host + "\r\n", 400, bad, true},
                {"HTTP/1.10", "GET /healthz HTTP/1.10\r\n" + host + "\r\n", 400, bad, true},
                {"no slash", "GET healthz HTTP/1.1\r\n" + host + "\r\n", 400, bad, true},
                {"a fragment", get("/healthz#a"), 400, bad, true},
                {"a query without a path", get("?a"), 400, bad, true},
                {"TLS", std::string("\x16\x03\x01\x02\x00", 5), 400, bad, true},
                {"two empty lines before", "\r\n\r\n" + get("/healthz"), 400, bad, true},
                {"Content-Encoding", post("Content-Encoding: gzip\r\nContent-Length: 1\r\n", "x"), 415,
                 "unsupported_encoding", true},
            });
}

TEST_CASE("chunked bodies are read unchanged within their limits") {
  TestServer server;
  const std::string bad = "invalid_request";
  check_all(server, {
                        {"two chunks", chunked("1\r\na\r\n0A\r\n0123456789\r\n0\r\n\r\n"), 200, "", false,
                         "\"body\":\"a0123456789\""},
                        {"an extension and trailers", chunked("1;x=\"y\"\r\na\r\n0\r\nX-T: z\r\n\r\n"), 200, "", false,
                         "\"body\":\"a\""},
                        {"none", chunked("0\r\n\r\n"), 200, "", false, "\"size\":0"},
                        {"0x", chunked("0x1\r\na\r\n0\r\n\r\n"), 400, bad, true},
                        {"a sign", chunked("+1\r\na\r\n0\r\n\r\n"), 400, bad, true},
                        {"minus", chunked("-2\r\na\r\n"), 400, bad, true},
                        {"a blank", chunked("1 \r\na\r\n0\r\n\r\n"), 400, bad, true},
                        {"no size", chunked("\r\na\r\n0\r\n\r\n"), 400, bad, true},
                        {"a bare LF", chunked("1\na\r\n0\r\n\r\n"), 400, bad, true},
                        {"a longer chunk than announced", chunked("1\r\nab\r\n0\r\n\r\n"), 400, bad, true},
                        {"too large at once", chunked("10001\r\n"), 413, "too_large", true},
                        {"beyond numbers", chunked("fffffffffffffffff\r\n"), 413, "too_large", true},
                        {"an endless size line", chunked(std::string(9000, '0')), 413, "too_large", true},
                        {"an endless extension", chunked("1;" + std::string(9000, 'x')), 413, "too_large", true},
                        {"endless trailers", chunked("0\r\n" + many_fields(20000)), 413, "too_large", true},
                    });
  std::string tiny;
  for (int i = 0; i < 70000; ++i) tiny += "1\r\na\r\n";
  check(server, {"too large in tiny chunks", chunked(tiny + "0\r\n\r\n"), 413, "too_large", true});
}

TEST_CASE("too large a request is refused before it is sent, and the answer arrives") {
  TestServer server;
  const std::string megabyte(1 << 20, 'x');
  check_all(
      server,
      {
          {"the limit", post("Content-Length: 65536\r\n", megabyte.substr(0, 65536)), 200, "", false, "\"size\":65536"},
          {"one more, announced", post("Content-Length: 65537\r\n"), 413, "too_large", true},
          {"announced and sent", post("Content-Length: 900000\r\n", megabyte.substr(0, 900000)), 413, "too_large",
           true},
          {"an absurd length", post("Content-Length: 1000000000000\r\n", "x"), 413, "too_large", true},
          {"a large snapshot",
           "PUT /v2/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n"
           "\r\n" +
               megabyte,
           200, "", false, "\"size\":1048576"},
          {"a long line", get("/" + std::string(9000, 'a')), 414, "uri_too_long", true},
          {"a long query", get("/v2/rooms?" + std::string(9000, '?')), 414, "uri_too_long", true},
          {"an endless line", "GET /" + std::string(9000, 'a'), 414, "uri_too_long", true},
          {"65 fields", get("/healthz", many_fields(64)), 431, "headers_too_large", true},
          {"an endless field", "GET / HTTP/1.1\r\nX: " + std::string(17000, 'a'), 431, "headers_too_large", true},
          {"17 KiB of head", get("/healthz", "X: " + std::string(17000, 'a') + "\r\n"), 431, "headers_too_large", true},
          {"15 KiB of head", get("/healthz", "X: " + std::string(15000, 'a') + "\r\n"), 200, ""},
      });
}

TEST_CASE("a client that is still sending is not cut off before it can read its refusal") {
  TestServer server;
  Wire wire(server.address());
  wire.say(post("Content-Length: 900000\r\n"));
  const auto answer = wire.read_answer();
  for (int i = 0; i < 10; ++i) CHECK(wire.say(std::string(50000, 'x')));
  CHECK(answer.error() == "too_large");
}

TEST_CASE("a head that comes byte by byte is understood, and pipelined requests in order") {
  TestServer server;
  Wire wire(server.address());
  for (const char c : post("Content-Length: 3\r\n", "abc")) REQUIRE(wire.say({&c, 1}));
  CHECK(wire.read_answer().body.find("abc") != std::string::npos);

  std::string all;
  for (int i = 0; i < 100; ++i) {
    const auto body = std::to_string(i);
    all += post("Content-Length: " + std::to_string(body.size()) + "\r\n", body);
    all += chunked("2\r\nxy\r\n0\r\n\r\n");
  }
  wire.say(all);
  for (int i = 0; i < 100; ++i) {
    REQUIRE(wire.read_answer().body.find("\"body\":\"" + std::to_string(i) + "\"") != std::string::npos);
    REQUIRE(wire.read_answer().body.find("\"body\":\"xy\"") != std::string::npos);
  }
}

TEST_CASE("a client that has closed its half is answered, and an unfinished request refused") {
  TestServer server;
  Wire wire(server.address());
  wire.say(get("/v2/rooms") + post("Content-Length: 2\r\n", "{}"));
  wire.half_close();
  CHECK(wire.read_answer().status == 200);
  CHECK(wire.read_answer().status == 200);
  CHECK(wire.ends_within(2s));

  for (const auto& cut : {std::string("GET /hea"), post("Content-Length: 9\r\n", "abc"), chunked("5\r\nab")}) {
    Wire unfinished(server.address());
    unfinished.say(cut);
    unfinished.half_close();
    CHECK(unfinished.read_answer().error() == "invalid_request");
  }
}

TEST_CASE("Expect: 100-continue is answered before the body, unless the body will be refused") {
  TestServer server;
  Wire wire(server.address());
  wire.say(post("Expect: 100-continue\r\nContent-Length: 3\r\n"));
  CHECK(wire.read_answer().status == 100);
  wire.say("abc");
  CHECK(wire.read_answer().body.find("abc") != std::string::npos);
  wire.say(post("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"));  // too late to ask
  CHECK(wire.read_answer().status == 200);
  wire.say(post("Expect: 100-continue\r\nContent-Length: 99999\r\n"));
  CHECK(wire.read_answer().status == 413);
}

TEST_CASE("HEAD is answered like GET, without the body") {
  TestServer server;
  Wire wire(server.address());
  wire.say(get("/v2/rooms"));
  const auto whole = wire.read_answer();
  wire.say("HEAD /v2/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(wire.read_answer(true).head == whole.head);
  wire.say("HEAD /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(wire.read_answer(true).status == 404);
  CHECK_FALSE(wire.ends_within(20ms));  // nor is a body under way
}

TEST_CASE("a HEAD that is refused before it is parsed gets no body either") {
  TestServer server;
  const std::string host = "Host: localhost\r\n";
  const auto head = [&](const std::string& target, const std::string& fields) {
    return "HEAD " + target + " HTTP/1.1\r\n" + host + fields + "\r\n";
  };
  const std::vector<std::pair<std::string, int>> cases = {
      {head("/" + std::string(9000, 'a'), ""), 414},
      {head("/healthz", many_fields(64)), 431},
      {head("/healthz", "X: " + std::string(17000, 'a') + "\r\n"), 431},
      {head("/healthz", "no colon\r\n"), 400},
      {head("/healthz", "a: b\nc: d\r\n"), 400},
      {head("/healthz#a", ""), 400},
      {head("/%", ""), 400},
      {head("/healthz", host), 400},
      {"\r\n" + head("/healthz", "no colon\r\n"), 400},
      {"HEAD /healthz HTTP/1.1\r\n" + host, 408},
  };
  for (const auto& [sent, status] : cases) {
    CAPTURE(sent.substr(0, 100), status);
    Wire wire(server.address());
    wire.say(sent);
    const auto answer = wire.read_answer(true);
    CHECK(answer.status == status);
    CHECK(answer.field("Content-Length") != "");
    CHECK(wire.ends_within(2s));
  }
}

TEST_CASE("a 503 says when to try again, and an exception's text is not sent to clients") {
  std::string reported;
  auto options = quick();
  options.on_exception = [&](const http::Route& route, std::string_view what) {
    reported += std::string(route.pattern) + ": " + std::string(what) + "\n";
  };
  TestServer server(std::move(options));
  Wire wire(server.address());
  wire.say(get("/busy"));
  CHECK(wire.read_answer().field("Retry-After") == "1");
  for (const char* path : {"/throw", "/throw7"}) {
    wire.say(get(path));
    const auto answer = wire.read_answer();
    CHECK(answer.status == 500);
    CHECK(answer.error() == "internal");
    CHECK((answer.head + answer.body).find("secret") == std::string::npos);
  }
  CHECK(reported == "/throw: secret\n/throw7: an exception of an unknown type\n");
}
