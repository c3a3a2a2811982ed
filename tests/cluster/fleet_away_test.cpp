// Several sidecars whose etcd goes away and comes back.
#include <filesystem>
#include <map>

#include "catch.h"
#include "cluster/fleet.h"
#include "etcd/client.h"
#include "etcd/etcd_process.h"
#include "etcd/in_time.h"
#include "fleet_sidecar.h"

using namespace std::chrono_literals;
using cluster_test::FleetSidecar;
using etcd_test::EtcdProcess;
using etcd_test::idle_time_of;
using etcd_test::lateness;

namespace {

// The contract's promise, and the delay of a busy machine.
constexpr auto deadline = 3s + lateness;

bool is_answered(FleetSidecar& fleet_sidecar, const std::string& room) {
  return fleet_sidecar.gateway(room).substr(0, 3) == "gxy";
}

// With both rooms in use at one of them.
std::map<std::string, std::string> some_rooms(FleetSidecar& a, FleetSidecar& b) {
  std::map<std::string, std::string> were;
  for (const std::string room : {"1", "2", "3", "4", "5", "6"}) {
    FleetSidecar& fleet_sidecar = room < "4" ? a : b;
    REQUIRE(comes_true([&] { return is_answered(fleet_sidecar, room); }));
    were[room] = fleet_sidecar.gateway(room);
  }
  for (const auto& [room, gateway] : were) {
    REQUIRE(comes_true([&, name = room] { return a.knows(name) == were[name] && b.knows(name) == were[name]; }));
  }
  return were;
}

void check_known(FleetSidecar& fleet_sidecar, const std::map<std::string, std::string>& were) {
  for (const auto& [room, gateway] : were) {
    std::string answer;
    CHECK(idle_time_of([&, name = room] { answer = fleet_sidecar.ask(name); }) < fleet_sidecar.options.timeout);
    CHECK(answer == gateway + " sticky");
  }
}

void check_refused(FleetSidecar& fleet_sidecar, const std::string& room) {
  std::string answer;
  CHECK(idle_time_of([&] { answer = fleet_sidecar.ask(room); }) < deadline);
  CHECK(answer == "storage_unavailable");
}

}  // namespace

TEST_CASE("known rooms are answered and new ones refused while etcd is dead, until it is back") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.options()), b(etcd.options());
  const auto were = some_rooms(a, b);
  etcd.kill(0);
  check_known(a, were);
  check_refused(a, "new");
  check_refused(b, "new");
  check_known(a, were);
  check_known(b, were);
  CHECK(comes_true([&] { return a.fleet->problem().has_value(); }));
  // Requests do not wait once the store is known to be away.
  CHECK(idle_time_of([&] { a.ask("newer"); }) < a.options.timeout);
  CHECK(a.fleet->release("1", true, a.registry->deadline()) == app::Claims::Released::unavailable);
  CHECK_FALSE(a.fleet->share_draining("gxy1", domain::Draining::yes, a.registry->deadline()));

  etcd.start(0);
  REQUIRE(comes_true([&] { return is_answered(a, "new"); }));
  CHECK(comes_true([&] { return b.ask("new") == a.gateway("new") + " sticky"; }));
  CHECK(comes_true([&] { return a.is_live() && b.is_live(); }));
  CHECK_FALSE(a.fleet->problem());
  check_known(a, were);
  check_known(b, were);
}

TEST_CASE("known rooms are answered at once and new ones refused in time while etcd hangs") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.options()), b(etcd.options());
  const auto were = some_rooms(a, b);
  etcd.halt(0);
  check_known(a, were);
  check_refused(a, "new");
  check_known(a, were);
  check_known(b, were);
  etcd.go_on(0);
  REQUIRE(comes_true([&] { return is_answered(a, "new"); }));
  CHECK(comes_true([&] { return b.ask("new") == a.gateway("new") + " sticky"; }));
  CHECK(comes_true([&] { return a.is_live() && b.is_live(); }));
}

TEST_CASE("a sidecar with an outdated replica answers only rooms in use here") {
  EtcdProcess etcd;
  etcd::Options soon = etcd.options();
  soon.max_stale = 20s;
  FleetSidecar a(soon), b(soon);
  const auto were = some_rooms(a, b);
  REQUIRE(a.report("1", "s") == were.at("1") + " 1");
  etcd.kill(0);
  // Its file shows that the room is in use here, without a wait for the store.
  soon.max_stale = 1ms;
  a.stop();
  a.options = soon;
  a.start();
  CHECK(a.ask("1") == were.at("1") + " sticky");
  CHECK(a.ask("2") == "storage_unavailable");
  CHECK(a.ask("4") == "storage_unavailable");
  CHECK(a.fleet->view().state == "outdated");
  check_known(b, were);
}

TEST_CASE("a sidecar that starts while etcd is away knows the rooms in its file") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.options()), b(etcd.options());
  const auto were = some_rooms(a, b);
  a.stop();
  etcd.kill(0);
  a.start();
  check_known(a, were);
  check_refused(a, "new");
  etcd.start(0);
  REQUIRE(comes_true([&] { return is_answered(a, "new"); }));
  CHECK(comes_true([&] { return a.is_live(); }));
  check_known(a, were);
}

TEST_CASE("a request that waits for a claim is refused when the sidecar stops") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.options());
  etcd.halt(0);
  std::string answer;
  std::thread asks([&] { answer = a.ask("new"); });
  REQUIRE(comes_true([&] {
    app::Registry::Transaction local(*a.registry);
    return local.ledger().find("new") != nullptr;
  }));
  CHECK(idle_time_of([&] { a.fleet->stop(); }) < deadline);
  asks.join();
  CHECK(answer == "storage_unavailable");
  etcd.go_on(0);
}

TEST_CASE("a room that ends elsewhere while it is being moved here is placed anew at once") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  const std::string gateway = b.gateway("r");
  REQUIRE(b.report("r", "s") == gateway + " 1");
  REQUIRE(comes_true([&] { return a.knows("r") == gateway; }));
  REQUIRE(b.keeper->set_draining(gateway, domain::Draining::and_evacuating) == app::CatalogueKeeper::Drained::done);
  REQUIRE(comes_true([&] {
    const auto policy = a.registry->policy();
    return policy->catalogue().gateway(gateway)->evacuating;
  }));
  // Both ask at the same time, b first.
  etcd.halt(0);
  std::thread leaves([&] { b.leave("r", "s"); });
  REQUIRE(comes_true([&] {
    app::Registry::Transaction local(*b.registry);
    return !local.ledger().find("r")->has_users();
  }));
  std::string answer;
  std::thread asks([&] { answer = a.ask("r"); });
  REQUIRE(comes_true([&] {
    app::Registry::Transaction local(*a.registry);
    return local.ledger().find("r")->pending;
  }));
  etcd.go_on(0);
  leaves.join();
  asks.join();
  CHECK(answer.substr(0, 3) == "gxy");
  CHECK(is_answered(a, "r"));
  CHECK(b.gateway("r") == a.gateway("r"));
}

namespace {

// The member's data are replaced by those of that folder.
void put_back(EtcdProcess& etcd, const std::string& from) {
  namespace fs = std::filesystem;
  const std::string data = etcd.folder().file("data0");
  fs::remove_all(data);
  fs::copy(from, data, fs::copy_options::recursive);
}

std::string kept(EtcdProcess& etcd, const std::string& name) {
  namespace fs = std::filesystem;
  std::string copy = etcd.folder().file(name);
  etcd.kill(0);
  fs::copy(etcd.folder().file("data0"), copy, fs::copy_options::recursive);
  return copy;
}

}  // namespace

// Its revisions alone do not show it: changes by other clients have brought it past the followed revision.
TEST_CASE("a store that was restored from a backup and written to since gets its missing rooms") {
  EtcdProcess etcd;
  const std::string before = kept(etcd, "before");
  etcd.start(0);
  {
    etcd::Client other(etcd.options());
    etcd::Transaction put;
    put.success.resize(1);
    put.success[0].kind = etcd::Operation::Kind::put;
    put.success[0].key = "another/history";
    for (int i = 0; i < 300; ++i) REQUIRE(other.transact(put, etcd_test::patiently()).ok());
  }
  const std::string advanced = kept(etcd, "advanced");
  put_back(etcd, before);
  etcd.start(0);
  FleetSidecar a(etcd.patient_options());
  std::map<std::string, std::string> were;
  for (int i = 0; i < 20; ++i) were["room" + std::to_string(i)] = a.gateway("room" + std::to_string(i));

  etcd.kill(0);
  put_back(etcd, advanced);
  etcd.start(0);
  REQUIRE(comes_true([&] { return a.is_live() && is_answered(a, "new"); }));
  FleetSidecar b(etcd.options());
  for (const auto& [room, gateway] : were) {
    CAPTURE(room);
    CHECK(comes_true([&, name = room] { return b.knows(name) == were[name]; }));
    CHECK(b.ask(room) == gateway + " sticky");
  }
}
