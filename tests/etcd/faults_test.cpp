#include <set>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "catch.h"
#include "etcd/client.h"
#include "etcd_process.h"
#include "in_time.h"
#include "loopback_server.h"
#include "transactions.h"
#include "watcher.h"

using namespace std::chrono_literals;
using namespace etcd;
using etcd_test::EtcdProcess;
using etcd_test::idle_time_of;
using etcd_test::in;
using etcd_test::lateness;
using etcd_test::patiently;
using etcd_test::put;
using etcd_test::time_of;
using etcd_test::Watcher;

namespace {

// Takes connections and sends the given text, in pieces, and then nothing.
class Mute {
 public:
  explicit Mute(std::string piece = "", std::chrono::milliseconds pause = 0ms)
      : piece_(std::move(piece)), pause_(pause) {}

  // Is there a connection? Only without a piece to send.
  bool is_asked() const {
    pollfd asked{server_.socket(), POLLIN, 0};
    return ::poll(&asked, 1, 0) == 1;
  }
  std::string endpoint() const { return server_.url(); }

 private:
  // Until the other side has gone.
  void serve(int connection) const {
    while (::send(connection, piece_.data(), piece_.size(), MSG_NOSIGNAL) > 0) std::this_thread::sleep_for(pause_);
  }

  const std::string piece_;
  const std::chrono::milliseconds pause_;
  LoopbackServer server_{piece_.empty() ? nullptr
                                        : LoopbackServer::Serve([this](int connection) { serve(connection); })};
};

etcd::Options at(std::vector<std::string> endpoints) {
  etcd::Options options;
  options.endpoints = std::move(endpoints);
  return options;
}

}  // namespace

TEST_CASE("the next member answers after one is killed, and a watch goes on there") {
  EtcdProcess etcd({3, false, {}});
  const std::size_t follower = (etcd.leader() + 1) % 3;
  auto options = etcd.patient_options();
  std::swap(options.endpoints[0], options.endpoints[follower]);
  for (int i = 0; i < 3; ++i) {  // whichever each begins with
    Client client(options);
    REQUIRE(client.transact(put("a", "1"), patiently()).ok());
    etcd.kill(follower);
    for (int k = 0; k < 5; ++k) {
      Reply<TransactionResult> reply;
      CHECK(time_of([&] { reply = client.transact(put("a", "2"), patiently()); }) < options.attempt_timeout);
      INFO(reply.why);
      CHECK(reply.ok());
    }
    etcd.start(follower);
  }
  Client client(options);
  for (int i = 0; i < 3; ++i) {  // at each member, as the one before ended
    bool has_begun = false;
    const auto end = client.watch("a", "", 2, 30s, [&](const Header&, const auto&) {
      has_begun = true;
      return false;
    });
    CHECK(has_begun);
    CHECK(end.why == WatchEnd::Why::stopped);
  }
}

TEST_CASE("the next member answers after one attempt while one hangs, and later requests at once") {
  EtcdProcess etcd({3, false, {}});
  const std::size_t follower = (etcd.leader() + 1) % 3;
  auto options = etcd.options();
  options.attempt_timeout = 3s;
  etcd.halt(follower);
  for (int i = 0; i < 4; ++i) {
    Client client(options);
    Reply<TransactionResult> reply;
    // Beside its own attempt, the first one asks all members for their cluster, within one more.
    CHECK(idle_time_of([&] { reply = client.transact(put("a", "1"), patiently()); }) < 3 * options.attempt_timeout);
    CHECK(reply.ok());
    CHECK(idle_time_of([&] { CHECK(client.transact(put("a", "2"), patiently()).ok()); }) < options.attempt_timeout);
  }
  etcd.go_on(follower);
}

TEST_CASE("a transaction outlasts the leader's death within its deadline") {
  EtcdProcess etcd({3, false, {}});
  Client client(etcd.options());
  REQUIRE(client.range({"a"}, patiently()).ok());
  etcd.kill(etcd.leader());
  const auto reply = client.transact(put("a", "1"), patiently());
  INFO(reply.why);
  REQUIRE(reply.ok());
  CHECK(client.range({"a"}, patiently()).value.items.at(0).value == "1");
}

TEST_CASE("each call without a majority fails within its deadline, and works again with one") {
  EtcdProcess etcd({3, false, {}});
  const std::size_t leader = etcd.leader();
  auto options = etcd.options();
  options.attempt_timeout = 300ms;
  Client client(options);
  REQUIRE(client.transact(put("a", "1"), patiently()).ok());
  Watcher watcher(etcd.options_of((leader + 2) % 3), "a", 2, 20s);
  REQUIRE(watcher.has_begun());
  etcd.kill(leader);
  etcd.kill((leader + 1) % 3);
  REQUIRE(comes_true([&] {
    Reply<TransactionResult> reply;
    CHECK(idle_time_of([&] { reply = client.transact(put("a", "2"), in(1s)); }) < 1s + lateness);
    CHECK((reply.error == ErrorCode::unknown || reply.error == ErrorCode::unreached));
    return reply.why.find("no leader") != std::string::npos || reply.error == ErrorCode::unreached;
  }));
  CHECK(client.range({"a"}, in(500ms)).error == ErrorCode::unreached);
  REQUIRE(comes_true([&] { return watcher.has_ended(); }));  // by the member: it has no leader
  CHECK(watcher.end().why == WatchEnd::Why::lost);

  const auto members = client.members();
  REQUIRE(members.size() == 3);
  CHECK(members[leader].problem);
  CHECK(!members[(leader + 2) % 3].has_leader);

  Reply<TransactionResult> reply;
  std::thread waiting([&] { reply = client.transact(put("a", "3"), patiently()); });
  etcd.start(leader);
  waiting.join();
  INFO(reply.why);
  CHECK(reply.ok());
}

TEST_CASE("members are listed with their names and their leader") {
  EtcdProcess etcd({3, false, {}});
  const std::size_t leader = etcd.leader();
  Client client(etcd.options());
  auto members = client.members();
  REQUIRE(members.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    INFO(members[i].problem.value_or("none"));
    CHECK(!members[i].problem);
    CHECK(members[i].endpoint == etcd.endpoint(i));
    CHECK(members[i].name == "n" + std::to_string(i));
    CHECK(members[i].version.substr(0, 2) == "3.");
    CHECK(members[i].has_leader);
    CHECK(members[i].is_leader == (i == leader));
  }
  etcd.kill((leader + 1) % 3);
  members = client.members();
  CHECK(members[(leader + 1) % 3].problem);
  CHECK(members[leader].is_leader);
}

TEST_CASE("a request to addresses without a listener is reported as not done by its deadline") {
  Client client(at({"http://127.0.0.1:1", "http://127.0.0.1:2"}));
  Reply<TransactionResult> reply;
  CHECK(idle_time_of([&] { reply = client.transact(put("a", "1"), in(300ms)); }) < 300ms + lateness);
  CHECK(reply.error == ErrorCode::unreached);
  CHECK(client.range({"a"}).why.find("there is no answer") != std::string::npos);  // with the time of a whole attempt
  CHECK(client.members().at(1).problem);
  CHECK(Client(at({"nonsense"})).range({"a"}, in(50ms)).error == ErrorCode::unreached);
  CHECK(Client(at({})).range({"a"}, in(50ms)).error == ErrorCode::unreached);
}

TEST_CASE("many open files do not prevent a connection") {
  EtcdProcess etcd;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit raised{std::min<rlim_t>(limit.rlim_max, 4096), limit.rlim_max};
  REQUIRE(raised.rlim_cur > 1200);
  ::setrlimit(RLIMIT_NOFILE, &raised);
  std::vector<int> files;
  for (int i = 0; i < 1100; ++i) files.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  REQUIRE(files.back() >= 1024);  // what select() can take
  Client client(etcd.options());
  const auto reply = client.range({"a"}, patiently());
  INFO(reply.why);
  CHECK(reply.ok());
  for (const int file : files) ::close(file);
}

TEST_CASE("one attempt is made even after the deadline") {
  EtcdProcess etcd;
  Client client(etcd.options());
  REQUIRE(client.range({"a"}, patiently()).ok());
  CHECK(comes_true([&] { return client.range({"a"}, in(-1s)).ok(); }));
}

TEST_CASE("a member that is mute or trickles delays no request beyond the deadline") {
  Mute mute, dribbling("H", 20ms), endless_head("HTTP/1.1 200 OK\r\nX: y\r\n", 20ms);
  for (const Mute* member : {&mute, &dribbling, &endless_head}) {
    auto options = at({member->endpoint()});
    options.attempt_timeout = 200ms;
    Client client(options);
    Reply<TransactionResult> reply;
    std::chrono::milliseconds took{};
    CHECK(idle_time_of([&] { took = time_of([&] { reply = client.transact(put("a", "1"), in(500ms)); }); }) <
          500ms + lateness);
    CHECK(took >= 400ms);
    CHECK(reply.error == ErrorCode::unreached);  // nothing but its cluster's id was asked for
    CHECK(client.range({"a"}, in(100ms)).error == ErrorCode::unreached);
    bool was_reported = false;
    CHECK(idle_time_of([&] {
            client.watch("a", "b", 1, 20s, [&](const Header&, const auto&) { return was_reported = true; });
          }) < options.attempt_timeout + lateness);
    CHECK(!was_reported);
  }
}

TEST_CASE("a member silent during the TLS handshake delays no request beyond the deadline, and nothing was done") {
  EtcdProcess etcd({1, true, {}});
  Mute mute;
  auto options = at({"https" + mute.endpoint().substr(4)});
  options.ca_file = etcd.options().ca_file;  // the system's many take long to read, under a sanitizer
  options.attempt_timeout = 200ms;
  Client client(options);
  Reply<TransactionResult> reply;
  CHECK(idle_time_of([&] { reply = client.transact(put("a", "1"), in(500ms)); }) < 500ms + lateness);
  CHECK(reply.error == ErrorCode::unreached);
}

TEST_CASE("too long an answer is refused") {
  const std::string piece(1 << 20, ' ');
  Mute endless("HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n" + piece);
  auto options = at({endless.endpoint()});
  options.attempt_timeout = 20s;
  Client client(options);
  const auto reply = client.range({"a"}, in(20s));
  CHECK(reply.error == ErrorCode::refused);
  CHECK(reply.why.find("longer") != std::string::npos);
}

TEST_CASE("stop() ends every request under way, and every later one") {
  EtcdProcess etcd({1, true, {}});
  for (const std::string scheme : {"http", "https"}) {
    Mute mute;
    auto options = at({scheme + mute.endpoint().substr(4)});
    options.ca_file = etcd.options().ca_file;
    options.attempt_timeout = 20s;  // far more than a busy machine is late
    Client client(options);
    Reply<TransactionResult> reply;
    std::thread thread([&] { reply = client.transact(put("a", "1"), in(20s)); });
    CHECK(comes_true([&] { return mute.is_asked(); }));
    CHECK(idle_time_of([&] {
            client.stop();
            thread.join();
          }) < lateness);
    CHECK(!reply.ok());
    CHECK(idle_time_of([&] { CHECK(!client.transact(put("a", "1"), in(20s)).ok()); }) < lateness);
    CHECK(idle_time_of([&] { CHECK(client.members().at(0).problem); }) < lateness);
  }
}

TEST_CASE("clients begin at different members") {
  std::set<std::string> first;
  for (int i = 0; i < 200; ++i) {
    Client client(at({"http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"}));
    first.insert(client.range({"a"}, in(0ms)).why.substr(0, 18));
  }
  CHECK(first.size() == 3);
}
