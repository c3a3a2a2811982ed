// Outcomes of requests without a whole answer, against servers that behave badly.
#include "etcd/connection.h"

#include <fcntl.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "catch.h"
#include "comes_true.h"
#include "etcd_process.h"
#include "in_time.h"
#include "loopback_server.h"

using namespace std::chrono_literals;
using namespace etcd;
using etcd_test::EtcdProcess;
using etcd_test::idle_time_of;
using etcd_test::in;
using etcd_test::lateness;
using etcd_test::patiently;
using etcd_test::time_of;
using Outcome = Answer::Outcome;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

// Gives each connection the answers, one a request. It reads one more request on demand, and hangs up.
class Server {
 public:
  explicit Server(std::vector<std::string> answers, bool reads_one_more = false)
      : answers_(std::move(answers)), reads_one_more_(reads_one_more) {}

  const std::string& address() const { return server_.address(); }
  std::string endpoint() const { return server_.url(); }
  int requests() const { return requests_; }
  int connections() const { return hung_up_; }  // that were ended

 private:
  void serve(int connection) {
    for (const std::string& answer : answers_) {
      if (!receives(connection)) break;
      ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
    if (reads_one_more_) receives(connection);
    ::shutdown(connection, SHUT_RDWR);
    ++hung_up_;
  }

  bool receives(int connection) {
    std::string got;
    char piece[4096];
    while (!got.ends_with("\r\n\r\n{}")) {
      const ssize_t size = ::recv(connection, piece, sizeof piece, 0);
      if (size <= 0) return false;
      got.append(piece, static_cast<std::size_t>(size));
    }
    ++requests_;
    return true;
  }

  const std::vector<std::string> answers_;
  const bool reads_one_more_;
  std::atomic<int> requests_{0}, hung_up_{0};
  LoopbackServer server_{[this](int connection) { serve(connection); }};
};

// Takes connections and sends that; then nothing, until the other side has gone.
class Silent {
 public:
  explicit Silent(std::string begin = "") : begin_(std::move(begin)) {}
  std::string endpoint() const { return server_.url(); }

 private:
  const std::string begin_;
  LoopbackServer server_{[this](int connection) {
    ::send(connection, begin_.data(), begin_.size(), MSG_NOSIGNAL);
    char ignored[4096];
    while (::recv(connection, ignored, sizeof ignored, 0) > 0) {
    }
  }};
};

// Connections to that port of another loopback address are neither accepted nor refused.
class Unreachable {
 public:
  explicit Unreachable(const std::string& address) {
    address_.sin_family = AF_INET;
    address_.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    REQUIRE(::bind(opened(), where(), sizeof address_) == 0);
    REQUIRE(::listen(sockets_.front(), 0) == 0);
    for (int i = 0; i < 4; ++i) ::connect(opened(), where(), sizeof address_);  // fills the queue
  }
  ~Unreachable() {
    for (const int socket : sockets_) ::close(socket);
  }
  Unreachable(const Unreachable&) = delete;
  Unreachable& operator=(const Unreachable&) = delete;

 private:
  int opened() { return sockets_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }
  const sockaddr* where() const { return reinterpret_cast<const sockaddr*>(&address_); }

  sockaddr_in address_{};
  std::vector<int> sockets_;
};

Answer post(Connection& connection, const std::string& endpoint, std::uint64_t over = 0,
            Connection::Clock::time_point until = patiently()) {
  return connection.post(endpoint, {"/v3/any", "{}", "", true, over}, until);
}

}  // namespace

TEST_CASE("a request goes over the open connection, and on demand over no other one") {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);  // is for others
  const Server server({ok, ok});
  Connection connection{Options{}};
  CHECK(connection.number() == 0);
  const auto answer = post(connection, server.endpoint());
  CHECK(answer.outcome == Outcome::answered);
  CHECK(answer.status == 200);
  CHECK(answer.body == "{}");
  const auto number = connection.number();
  REQUIRE(number != 0);
  CHECK(post(connection, server.endpoint(), number).outcome == Outcome::answered);
  CHECK(connection.number() == number);

  REQUIRE(comes_true([&] { return server.connections() == 1; }));
  const auto closed = post(connection, server.endpoint(), number);
  CHECK(closed.outcome == Outcome::closed);
  CHECK(closed.problem == server.endpoint() + ": the connection is closed");
  CHECK(connection.number() != number);
  CHECK(server.requests() == 2);

  CHECK(post(connection, server.endpoint()).outcome == Outcome::answered);
  CHECK(post(connection, server.endpoint(), number).outcome == Outcome::closed);  // it is another one
  CHECK(server.requests() == 3);
}

TEST_CASE("a request that a connection took before it closed is unsure, and is not sent twice") {
  for (const bool is_over_that : {true, false}) {
    CAPTURE(is_over_that);
    const Server server({ok}, true);
    Connection connection{Options{}};
    REQUIRE(post(connection, server.endpoint()).outcome == Outcome::answered);
    const auto number = connection.number();
    CHECK(post(connection, server.endpoint(), is_over_that ? number : 0).outcome == Outcome::unsure);
    CHECK(connection.number() == 0);
    CHECK(server.requests() == 2);
    CHECK(comes_true([&] { return server.connections() == 1; }));
  }
}

TEST_CASE("unsent requests and possibly sent requests are distinguished") {
  const EtcdProcess etcd({1, true, {}});
  const Options& options = etcd.options();  // the system's authorities take long to read, under a sanitizer
  std::string nowhere;
  {
    const Server server({});
    nowhere = server.endpoint();
  }
  const Silent silent, begun("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), refuses("HTTP/1.1 400 No\r\n\r\n");
  const Silent endless("HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'x')), nonsense("SSH-2.0-x\r\n");
  const Server hangs_up({}, true), plain({"no greeting"});
  struct Case {
    std::string endpoint;
    Outcome outcome;
    std::string problem;
  };
  const std::string late = "no answer came in time";
  for (const Case& each : {
           Case{nowhere, Outcome::not_sent, "there is no answer"}, Case{"", Outcome::not_sent, "this is no address"},
           Case{"http://silent.test:1", Outcome::not_sent, late},  // a slow look-up of its name
           Case{"https" + silent.endpoint().substr(4), Outcome::not_sent, late},
           Case{"https" + nonsense.endpoint().substr(4), Outcome::not_sent, "TLS failed"},
           Case{silent.endpoint(), Outcome::unsure, late}, Case{begun.endpoint(), Outcome::unsure, late},
           Case{hangs_up.endpoint(), Outcome::unsure, "the connection was closed without an answer"},
           Case{endless.endpoint(), Outcome::unsure, "the answer is too large"},
           Case{nonsense.endpoint(), Outcome::unsure, ""},
           Case{refuses.endpoint(), Outcome::answered, ""},  // however it ends
       }) {
    CAPTURE(each.endpoint, each.problem);
    Connection connection(options);
    const bool is_late = each.problem == late || each.outcome == Outcome::answered;
    Answer answer;
    CHECK(idle_time_of([&] { answer = post(connection, each.endpoint, 0, is_late ? in(300ms) : patiently()); }) <
          lateness);
    CHECK(answer.outcome == each.outcome);
    CHECK(answer.problem.starts_with(each.outcome == Outcome::answered ? "" : each.endpoint + ": " + each.problem));
    CHECK(connection.number() == 0);
  }
}

TEST_CASE("an address that does not answer takes half a second, and then the host's next address is tried") {
  const Server server({ok});
  const Unreachable unreachable(server.address());
  const std::string port = server.address().substr(server.address().rfind(':'));
  Connection connection{Options{}};
  Answer answer;
  CHECK(idle_time_of([&] { answer = post(connection, "http://127.0.0.2" + port); }) < 500ms + lateness);
  CHECK(answer.outcome == Outcome::not_sent);
  CHECK(answer.problem.ends_with(": there is no answer"));
  CHECK(idle_time_of([&] { answer = post(connection, "http://two.test" + port); }) < 500ms + lateness);
  CHECK(answer.outcome == Outcome::answered);
}

TEST_CASE("stop() does not wait for a name to be looked up") {
  Connection connection{Options{}};
  Answer answer;
  std::thread thread([&] { answer = post(connection, "http://silent.test:1"); });
  std::this_thread::sleep_for(50ms);  // whether it has begun by then or not
  CHECK(idle_time_of([&] {
          connection.stop();
          thread.join();
        }) < lateness);
  CHECK(answer.outcome == Outcome::not_sent);
  CHECK(answer.problem == "http://silent.test:1: stopped");
}

TEST_CASE("a stream ends after too long a silence, in which the sink's own time does not count") {
  const Silent server("HTTP/1.1 200 OK\r\n\r\na");
  Connection connection{Options{}};
  std::string got;
  const Connection::Sink take = [&](std::string_view piece) {
    got += piece;
    std::this_thread::sleep_for(300ms);
    return true;
  };
  Answer answer;
  CHECK(time_of([&] {
          answer = connection.stream(server.endpoint(), {"/v3/watch", "{}"}, in(20s), 200ms, take);
        }) >= 500ms);
  CHECK(got == "a");
  CHECK(answer.outcome == Outcome::unsure);
  CHECK(answer.status == 200);
  CHECK(answer.problem.ends_with(": no answer came in time"));
  CHECK(connection.number() == 0);
}

TEST_CASE("the sink can end a stream, and its exceptions are passed on") {
  const Silent server("HTTP/1.1 200 OK\r\n\r\na");
  Connection connection{Options{}};
  const Request watch{"/v3/watch", "{}"};
  const auto answer =
      connection.stream(server.endpoint(), watch, patiently(), 20s, [](std::string_view) { return false; });
  CHECK(answer.outcome == Outcome::answered);
  CHECK(answer.problem.empty());
  const Connection::Sink fails = [](std::string_view) -> bool { throw std::runtime_error("full"); };
  CHECK_THROWS_WITH(connection.stream(server.endpoint(), watch, patiently(), 20s, fails), "full");
  CHECK(post(connection, server.endpoint(), 0, in(100ms)).outcome == Outcome::unsure);
}
