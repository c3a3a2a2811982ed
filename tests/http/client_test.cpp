// The small client, against a real server.
#include <string>

#include "catch.h"
#include "http/client.h"
#include "http/test_server.h"
#include "loopback_server.h"
#include "pace.h"
#include "temporary_folder.h"

using namespace http_test;

TEST_CASE("the client reaches a server by every form of its address") {
  TestServer server;
  const auto port = server.address().substr(server.address().rfind(':'));
  for (const auto& address : {server.address(), "http://" + server.address(), "http://localhost" + port + "/",
                              "localhost" + port, "0.0.0.0" + port}) {
    CAPTURE(address);
    http::Client client(address);
    const auto answer = client.request("GET", "/v2/rooms?a=%2B+");
    CHECK(answer.reached());
    CHECK(answer.status == 200);
    CHECK(answer.body.find("[\"a\",\"++\"]") != std::string::npos);
  }
}

TEST_CASE("the client sends bodies, unchanged targets, and its token") {
  auto options = quick();
  options.token = "t";
  const TemporaryFolder folder;
  TestServer server(std::move(options), "unix:" + folder.file("socket"));
  http::Client client(server.address(), "t");
  CHECK(client.request("PUT", "/v2/rooms/a%2Fb/sessions/c", "{}").body.find("[\"a/b\",\"c\"]") != std::string::npos);
  CHECK(client.request("POST", "/v2/room_server").status == 200);
  CHECK(client.request("DELETE", "/v2/rooms/1/sessions/c").status == 200);
  CHECK(http::Client(server.address()).request("GET", "/v2/rooms").status == 401);
}

TEST_CASE("requests of the client wait for no delayed ACK") {
  TestServer server;
  http::Client client(server.address());
  const std::string body(3000, 'x');
  CHECK(tests::takes_less_than(1900ms, [&] {  // a delayed ACK takes 40 ms
    for (int i = 0; i < 50; ++i) REQUIRE(client.request("POST", "/v2/room_server", body).status == 200);
  }));
}

TEST_CASE("the lack of an answer is a value") {
  std::string gone;
  {
    TestServer server;
    gone = server.address();
  }
  for (const auto& address :
       {gone, std::string("unix:/nowhere/x"), std::string("unix:"), std::string("127.0.0.1:x"), std::string("")}) {
    CAPTURE(address);
    const auto answer = http::Client(address).request("GET", "/");
    CHECK_FALSE(answer.reached());
    CHECK(answer.problem.find(address) != std::string::npos);
  }
}

TEST_CASE("the client waits no longer than its timeout") {
  TestServer server;
  const auto answer = http::Client(server.address()).request("GET", "/wait", {}, 100ms);
  CHECK_FALSE(answer.reached());
  CHECK(answer.problem.find("in time") != std::string::npos);
}

TEST_CASE("the client waits no longer for the end of an answer than for its beginning") {
  for (const std::string_view& begun :
       {std::string_view("HTTP/1.1 200 OK\r\n"), std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")}) {
    LoopbackServer server([&](int connection) {
      ::send(connection, begun.data(), begun.size(), MSG_NOSIGNAL);
      char ignored[4096];
      while (::recv(connection, ignored, sizeof ignored, 0) > 0) {  // until the client gives up
      }
    });
    const auto answer = http::Client(server.address()).request("GET", "/", {}, 100ms);
    CHECK_FALSE(answer.reached());
    CHECK_FALSE(answer.is_too_large);
    CHECK(answer.problem == server.address() + ": the answer was not complete within 100 ms");
  }
}

TEST_CASE("the client gives an endless answer up") {
  const std::string plenty(1024 * 1024, 'x');
  for (const std::string& begun : {"HTTP/1.1 200 OK\r\n\r\n" + plenty, "HTTP/1.1 200 OK\r\nX-a: " + plenty}) {
    LoopbackServer server([&](int connection) {
      while (::send(connection, begun.data(), begun.size(), MSG_NOSIGNAL) > 0) {
      }
    });
    const auto answer = http::Client(server.address()).request("GET", "/", {}, 60s);
    CHECK_FALSE(answer.reached());
    CHECK(answer.is_too_large);
  }
}

TEST_CASE("a text with the user or the path of a URL is no address") {
  for (const char* address : {"127.0.0.1:1@192.0.2.1:80", "127.0.0.1/x:80", "a b:80", "127.0.0.1?:80"}) {
    CAPTURE(address);
    CHECK(http::Client(address).request("GET", "/").problem.find("is no address") != std::string::npos);
  }
}
