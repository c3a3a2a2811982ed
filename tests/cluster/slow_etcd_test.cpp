// An etcd that works, but is slow: it needs longer than an attempt may take.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "catch.h"
#include "etcd/attempt_time.h"
#include "etcd/authenticator.h"
#include "etcd/client.h"
#include "etcd/etcd_process.h"
#include "etcd/followed_cluster.h"
#include "etcd/in_time.h"
#include "etcd/slow_link.h"
#include "fleet_sidecar.h"

using namespace std::chrono_literals;
using namespace cluster;
using cluster_test::FleetSidecar;
using etcd_test::bcrypt_cost_for;
using etcd_test::EtcdProcess;
using etcd_test::idle_time_of;
using etcd_test::in;
using etcd_test::patiently;
using etcd_test::SlowLink;
using etcd_test::time_of;

namespace {

constexpr auto attempt = 150ms;

// All sidecars' keys, with one user, whose password takes etcd far longer than an attempt.
etcd::Options with_slow_password(const EtcdProcess& etcd) {
  etcd::Options options = etcd.options();
  etcd.turn_authentication_on("sidecar", "secret", options.prefix);
  options.user = "sidecar";
  options.password_file = etcd.folder().write("password", "secret");
  options.attempt_timeout = attempt;
  options.timeout = 3 * attempt;
  return options;
}

// Over the link, with an attempt that ends before it.
etcd::Options over(const SlowLink& link, const EtcdProcess& etcd) {
  etcd::Options options = etcd.options();
  options.endpoints = {link.endpoint()};
  options.attempt_timeout = attempt;
  return options;
}

EtcdProcess::Setup slow() { return {1, false, {"--bcrypt-cost", bcrypt_cost_for(4 * attempt)}}; }

etcd::RangeRequest any_key(const etcd::Options& options) { return {options.prefix + "any"}; }

etcd::Transaction put(const etcd::Options& options) {
  etcd::Transaction transaction;
  transaction.success.push_back({etcd::Operation::Kind::put, options.prefix + "any", "", "1"});
  return transaction;
}

// Each asks, and waits no longer than a request, until it is answered.
bool all_get_through(std::vector<std::unique_ptr<etcd::Client>>& clients, const etcd::Options& options) {
  std::atomic<std::size_t> well{0};
  std::vector<std::thread> threads;
  for (auto& client : clients) {
    threads.emplace_back([&] {
      if (comes_true([&] { return client->transact(put(options), in(options.timeout)).ok(); })) ++well;
    });
  }
  for (auto& thread : threads) thread.join();
  return well == clients.size();
}

}  // namespace

TEST_CASE("a password check that outlasts all requests is made once, and all connections share its token") {
  EtcdProcess etcd(slow());
  const etcd::Options options = with_slow_password(etcd);
  const auto cluster = std::make_shared<etcd::FollowedCluster>(options);
  const auto authenticator = etcd::Authenticator::for_user_of(options, cluster);
  std::vector<std::unique_ptr<etcd::Client>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(std::make_unique<etcd::Client>(options, cluster, authenticator));
  CHECK(all_get_through(clients, options));
  CHECK(etcd.password_checks() == 1);
  etcd.restart();
  CHECK(all_get_through(clients, options));
  CHECK(etcd.password_checks() == 1);
}

TEST_CASE("a request waits for the token until its deadline; then nothing was done, and it says why") {
  EtcdProcess etcd(slow());
  const etcd::Options options = with_slow_password(etcd);
  etcd::Client client(options);
  etcd::Reply<etcd::TransactionResult> reply;
  CHECK(time_of([&] { reply = client.transact(put(options), in(attempt)); }) >= attempt);
  CHECK(reply.error == etcd::ErrorCode::unreached);
  CHECK(reply.why.find("password check") != std::string::npos);
  client.wait_for_password_check(in(30s));
  CHECK(client.transact(put(options), patiently()).ok());
  CHECK(etcd.password_checks() == 1);
}

TEST_CASE("sidecars place new rooms again after a restart of all members, each by one password check") {
  EtcdProcess etcd(slow());
  const etcd::Options options = with_slow_password(etcd);
  FleetSidecar a(options), b(options);
  REQUIRE(comes_true([&] { return a.gateway("1").substr(0, 3) == "gxy" && a.gateway("1") == b.gateway("1"); }));
  etcd.restart();
  CHECK(comes_true([&] { return a.gateway("2").substr(0, 3) == "gxy" && a.gateway("2") == b.gateway("2"); }));
  CHECK(etcd.password_checks() == 2);
}

TEST_CASE("a stop does not wait for a password check") {
  EtcdProcess etcd(slow());
  etcd::Options options = with_slow_password(etcd);
  options.timeout = 20s;
  auto client = std::make_unique<etcd::Client>(options);
  std::thread asking([&] { CHECK(client->range(any_key(options), in(20s)).error == etcd::ErrorCode::unreached); });
  REQUIRE(comes_true([&] { return etcd.password_checks() == 1; }));
  etcd.halt(0);  // the check would go on until its own deadline
  CHECK(idle_time_of([&] {
          client->stop();
          asking.join();
          client.reset();
        }) < 10s);
  etcd.go_on(0);
}

TEST_CASE("a member that hangs does not keep the others from giving a token") {
  EtcdProcess etcd({3, false, {"--bcrypt-cost", "4"}});
  etcd::Options options = with_slow_password(etcd);
  const std::size_t hangs = (etcd.leader() + 1) % 3;
  options.endpoints = {etcd.endpoint(hangs), etcd.endpoint((hangs + 1) % 3)};
  etcd.halt(hangs);
  for (int i = 0; i < 6; ++i) {  // whichever each begins with
    const auto reply = etcd::Client(options).range(any_key(options), patiently());
    INFO(reply.why);
    CHECK(reply.ok());
  }
  etcd.go_on(hangs);
}

TEST_CASE("a wrong password is checked now and then, another one at once") {
  EtcdProcess etcd({1, false, {"--bcrypt-cost", "4"}});
  etcd::Options options = with_slow_password(etcd);
  options.attempt_timeout = 5s;
  etcd.folder().write("password", "wrong");
  etcd::Client client(options);
  for (int i = 0; i < 200; ++i) REQUIRE(client.range(any_key(options), patiently()).error == etcd::ErrorCode::refused);
  CHECK(etcd.password_checks() < 20);
  etcd.folder().write("password", "secret");
  CHECK(client.range(any_key(options), patiently()).ok());
}

TEST_CASE("an attempt that was too slow is followed by a longer one where no request waits") {
  EtcdProcess etcd;
  const SlowLink link(etcd.endpoint(0), 4 * attempt);
  const etcd::Options options = over(link, etcd);
  etcd::Client client(options);
  for (int i = 0; i < 2; ++i) CHECK(comes_true([&] { return client.range(any_key(options)).ok(); }));
  CHECK(client.range(any_key(options), in(2s)).error == etcd::ErrorCode::unreached);
  CHECK(comes_true([&] { return !client.members().front().problem; }));
}

TEST_CASE("a sidecar of a slow etcd lists, follows and becomes live") {
  EtcdProcess etcd;
  const SlowLink link(etcd.endpoint(0), 4 * attempt);
  const FleetSidecar fleet_sidecar(over(link, etcd));  // waits until it is live
  CHECK(fleet_sidecar.fleet->view().state == "live");
}

TEST_CASE("a command without a waiting request gets longer and longer attempts until its outcome is known") {
  EtcdProcess etcd;
  const SlowLink link(etcd.endpoint(0), 4 * attempt);
  etcd::Options options = over(link, etcd);
  options.timeout = 3 * attempt;
  FleetSidecar other(etcd.patient_options()), fleet_sidecar(options);
  const auto done = [&] { return fleet_sidecar.fleet->counts().transactions.read().count; };
  const std::string gateway = other.gateway("r");
  other.report("r", "at-other");
  REQUIRE(comes_true([&] { return fleet_sidecar.knows("r") == gateway; }));
  CHECK(fleet_sidecar.report("r", "s").starts_with(gateway));
  CHECK(comes_true([&] { return done() == 1; }));  // the use mark
  CHECK_FALSE(fleet_sidecar.leave("r", "s"));
  CHECK(comes_true([&] { return done() == 2; }));            // it is given up
  CHECK(fleet_sidecar.ask("new") == "storage_unavailable");  // a request keeps its time
}

TEST_CASE("a request with hardly any time left does not shorten the transaction of other requests") {
  EtcdProcess etcd;
  const SlowLink link(etcd.endpoint(0), 200ms);
  etcd::Options options = etcd.options();
  options.endpoints = {link.endpoint()};
  options.attempt_timeout = 5s;
  options.timeout = 20s;
  FleetSidecar other(etcd.patient_options()), fleet_sidecar(options);
  constexpr int callers = 8;
  const auto room = [](int i) { return "room " + std::to_string(i); };
  for (int i = 0; i < callers; ++i) other.report(room(i), room(i));  // so it cannot be released here
  REQUIRE(comes_true([&] { return !fleet_sidecar.knows(room(callers - 1)).empty(); }));
  std::atomic<bool> is_over{false};
  std::vector<std::thread> hasty;
  for (int i = 0; i < callers; ++i) {
    hasty.emplace_back([&, i] {
      while (!is_over) fleet_sidecar.fleet->release(domain::RoomId(room(i)), false, in(30ms + i * 10ms));
    });
  }
  CHECK(fleet_sidecar.gateway("new").starts_with("gxy"));
  is_over = true;
  for (auto& thread : hasty) thread.join();
}

TEST_CASE("the time of an attempt doubles up to 15 s, and follows the time of an answer") {
  const auto ago = [](std::chrono::milliseconds time) { return etcd::AttemptTime::Clock::now() - time; };
  etcd::AttemptTime time(1s);
  CHECK(time.current() == 1s);
  time.gave_up_after(ago(500ms));  // it did not have all its time
  CHECK(time.current() == 1s);
  for (const auto next : {2s, 4s, 8s, 15s, 15s}) {
    time.gave_up_after(ago(time.current() - 10ms));  // a wait ends a little early
    CHECK(time.current() >= next);
    CHECK(time.current() <= 15s);
  }
  time.answered_after(ago(3s));
  CHECK(time.current() >= 6s);
  CHECK(time.current() < 15s);
  time.answered_after(ago(0ms));
  CHECK(time.current() < 15s);
  CHECK(time.current() >= 1s);
}
