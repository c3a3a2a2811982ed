#include "catch.h"
#include "comes_true.h"
#include "etcd/client.h"
#include "etcd_process.h"
#include "files/read_file.h"
#include "in_time.h"
#include "transactions.h"
#include "watcher.h"

using namespace std::chrono_literals;
using namespace etcd;
using etcd_test::EtcdProcess;
using etcd_test::in;
using etcd_test::patiently;
using etcd_test::put;
using etcd_test::Watcher;

namespace {

// The problem of the first member, after one attempt without a time limit.
std::string problem_of(const Options& options) { return Client(options).members().front().problem.value_or("none"); }

const Client::Sink once = [](const Header&, const std::vector<Event>&) { return false; };

}  // namespace

TEST_CASE("a user with a password may use its rights, also after a restart of the member") {
  EtcdProcess etcd;
  auto options = etcd.patient_options();
  options.user = "sidecar";
  options.password_file = etcd.folder().write("password", "it's \"secret\"\n");
  Client client(options);
  REQUIRE(client.transact(put("p/a", "0"), patiently()).ok());  // before authentication is on
  etcd.turn_authentication_on("sidecar", R"(it's \"secret\")", "p/");

  const auto reply = client.transact(put("p/a", "1"), patiently());
  INFO(reply.why);
  REQUIRE(reply.ok());
  CHECK(client.range({"p/a"}, patiently()).value.items.at(0).value == "1");
  CHECK(client.transact(put("q/a", "1"), patiently()).error == ErrorCode::refused);
  const auto lease = client.grant_lease(10s, patiently());
  CHECK(lease.ok());
  CHECK(client.keep_lease(lease.value, patiently()).value);
  CHECK(client.watch("p/", "p0", 2, 30s, once).why == WatchEnd::Why::stopped);
  const auto forbidden = client.watch("q/", "q0", 2, 30s, once);
  INFO(forbidden.words);
  CHECK(forbidden.why == WatchEnd::Why::refused);

  etcd.kill(0);
  etcd.start(0);  // it has forgotten its tokens
  CHECK(client.watch("p/", "p0", 2, 30s, once).why == WatchEnd::Why::stopped);
  CHECK(client.transact(put("p/a", "2"), patiently()).ok());
  etcd.kill(0);
  etcd.start(0);
  CHECK(client.transact(put("p/a", "3"), patiently()).ok());
  CHECK(client.revoke_lease(lease.value, patiently()).value);
  CHECK(!client.members().at(0).problem);
}

TEST_CASE("a change of rights after the token was made does not keep a user out") {
  EtcdProcess etcd;
  auto options = etcd.patient_options();
  options.user = "sidecar";
  options.password_file = etcd.folder().write("password", "secret");
  etcd.turn_authentication_on("sidecar", "secret", "p/");
  Client client(options);
  REQUIRE(client.transact(put("p/a", "1"), patiently()).ok());
  etcd.post_as_root("/v3/auth/role/add", R"({"name":"others"})");
  CHECK(client.transact(put("p/a", "2"), patiently()).ok());
  etcd.post_as_root("/v3/auth/role/add", R"({"name":"more"})");
  // On a busy machine its beginning may come too late: then it is lost, and begun again.
  CHECK(comes_true([&] { return client.watch("p/", "p0", 2, 30s, once).why == WatchEnd::Why::stopped; }));
}

TEST_CASE("a wrong password, none, and a missing file are refused at once") {
  EtcdProcess etcd;
  etcd.turn_authentication_on("sidecar", "secret", "p/");
  auto options = etcd.patient_options();
  CHECK(Client(options).transact(put("p/a", "1"), patiently()).error == ErrorCode::refused);
  CHECK(Client(options).watch("p/", "p0", 2, 30s, once).why == WatchEnd::Why::refused);
  options.user = "sidecar";
  options.password_file = etcd.folder().write("password", "wrong");
  Client client(options);
  const auto refused = client.transact(put("p/a", "1"), patiently());
  CHECK(refused.error == ErrorCode::refused);
  CHECK(refused.why.find("authentication failed") != std::string::npos);
  CHECK(client.watch("p/", "p0", 2, 30s, once).why == WatchEnd::Why::refused);
  etcd.folder().write("password", "secret");  // it is read each time
  CHECK(client.transact(put("p/a", "1"), patiently()).ok());
  options.password_file = etcd.folder().file("nothing");
  CHECK(Client(options).range({"p/a"}, patiently()).error == ErrorCode::refused);
}

TEST_CASE("a server's name is compared with subjectAltName only, and a lone star matches nothing") {
  for (const EtcdProcess::Setup& request : {
           EtcdProcess::Setup{1, true, {}, "IP:127.0.0.1", "/CN=localhost"},
           EtcdProcess::Setup{1, true, {}, "IP:127.0.0.1,DNS:*", "/O=room-sidecar"},
           EtcdProcess::Setup{1, true, {}, "IP:127.0.0.1,DNS:127.0.0.1", "/CN=*"},
       }) {
    CAPTURE(request.names, request.subject);
    EtcdProcess etcd(request);
    auto options = etcd.patient_options();
    CHECK(Client(options).range({"p/a"}, patiently()).ok());  // by its address
    options.endpoints[0].replace(8, 9, "localhost");
    CHECK(Client(options).range({"p/a"}, in(500ms)).error == ErrorCode::unreached);
    CHECK(problem_of(options).find("does not name that host") != std::string::npos);
  }
}

TEST_CASE("a certificate without names matches no server") {
  EtcdProcess etcd({1, true, {}});
  auto options = etcd.patient_options();
  options.endpoints[0].replace(8, 9, "localhost");
  etcd.set_certificate("email:nobody@localhost", "/CN=localhost");
  CHECK(Client(options).range({"p/a"}, in(500ms)).error == ErrorCode::unreached);
  CHECK(problem_of(options).find("does not name that host") != std::string::npos);
}

TEST_CASE("certificates are read anew for each connection") {
  EtcdProcess etcd({1, true, {}});
  auto options = etcd.patient_options();
  const auto text_of = [&](const std::string& name) { return *files::read_file(etcd.folder().file(name)).text; };
  const std::string ca = text_of("ca.crt");
  options.ca_file = etcd.folder().write("authority.crt", ca);
  Client client(options);
  REQUIRE(client.range({"p/a"}, patiently()).ok());
  etcd.folder().write("authority.crt", text_of("stranger.crt"));
  CHECK(client.range({"p/a"}, patiently()).ok());  // over the connection that is open
  etcd.restart();
  CHECK(client.range({"p/a"}, in(500ms)).error == ErrorCode::unreached);
  etcd.folder().write("authority.crt", ca);
  CHECK(client.range({"p/a"}, patiently()).ok());
}

TEST_CASE("TLS works with an own authority and certificates on both sides") {
  EtcdProcess etcd({1, true, {}});
  auto options = etcd.patient_options();
  {
    Client client(options);
    const auto reply = client.transact(put("p/a", "1"), patiently());
    INFO(reply.why);
    REQUIRE(reply.ok());
    for (int i = 0; i < 20; ++i) REQUIRE(client.range({"p/a"}, patiently()).ok());
    Watcher watcher(options, "p/", 2);
    CHECK(comes_true([&] { return watcher.events().size() == 1; }));
  }
  SECTION("with authentication, too") {
    etcd.turn_authentication_on("sidecar", "secret", "p/");
    options.user = "sidecar";
    options.password_file = etcd.folder().write("password", "secret");
    const auto reply = Client(options).transact(put("p/a", "2"), patiently());
    INFO(reply.why);
    CHECK(reply.ok());
  }
  SECTION("by the host's name, too") {
    options.endpoints[0].replace(8, 9, "localhost");
    CHECK(Client(options).range({"p/a"}, patiently()).ok());
  }
  SECTION("not to a server by another authority") {
    options.ca_file = etcd.folder().file("stranger.crt");
    CHECK(Client(options).transact(put("p/a", "2"), in(500ms)).error == ErrorCode::unreached);
    CHECK(problem_of(options).find("authority") != std::string::npos);
  }
  SECTION("not to a server of another name") {
    options.endpoints[0].replace(8, 9, "127.1");  // the same address
    CHECK(Client(options).transact(put("p/a", "2"), in(500ms)).error == ErrorCode::unreached);
    CHECK(problem_of(options).find("does not name that host") != std::string::npos);
  }
  SECTION("not without a client's certificate") {
    options.cert_file.reset();
    options.key_file.reset();
    CHECK(!Client(options).transact(put("p/a", "2"), in(500ms)).ok());
  }
  SECTION("not with a file that is no certificate") {
    options.cert_file = etcd.folder().write("broken", "nothing");
    CHECK(Client(options).transact(put("p/a", "2"), in(200ms)).error == ErrorCode::unreached);
    CHECK(problem_of(options).find("cert_file") != std::string::npos);
  }
  SECTION("not with an authority's file that is not there") {
    options.ca_file = etcd.folder().file("nothing");
    CHECK(Client(options).transact(put("p/a", "2"), in(200ms)).error == ErrorCode::unreached);
  }
}
