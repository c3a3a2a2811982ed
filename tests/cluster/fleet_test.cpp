// Several sidecars on one real etcd, which is well all the time; fleet_away_test.cpp has it go away.
#include "cluster/fleet.h"

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "app/clean_up.h"
#include "app/listings.h"
#include "app/release_room.h"
#include "app/report_session.h"
#include "catch.h"
#include "cluster/keys.h"
#include "cluster/resume_point.h"
#include "etcd/base64.h"
#include "etcd/client.h"
#include "etcd/etcd_process.h"
#include "etcd/in_time.h"
#include "etcd/slow_link.h"
#include "fleet_sidecar.h"
#include "store/database.h"
#include "store/meta_table.h"

using namespace std::chrono_literals;
using cluster_test::FleetSidecar;
using etcd_test::EtcdProcess;
using etcd_test::patiently;
using etcd_test::SlowLink;

namespace {

std::string room_named(int number) { return "room " + std::to_string(number); }

// What is in the store, by another connection.
struct Look {
  explicit Look(const EtcdProcess& etcd) : client(etcd.patient_options()) {}

  bool is_there(const std::string& key) {
    const auto reply = client.range({key}, patiently());
    REQUIRE(reply.ok());
    return !reply.value.items.empty();
  }
  bool is_marked(const std::string& room, const std::string& sidecar) {
    return is_there(keys.use(domain::RoomId(room), sidecar));
  }
  std::string gateway_of(const std::string& room) {
    const auto reply = client.range({keys.room(domain::RoomId(room))}, patiently());
    REQUIRE(reply.ok());
    if (reply.value.items.empty()) return "";
    const auto value = cluster::room_value_from(domain::RoomId(room), reply.value.items.front().value);
    return value ? value->row.gateway_name : "";
  }

  // Since when the room is where it is; 0: nowhere.
  etcd::Revision modified(const std::string& room) {
    const auto reply = client.range({keys.room(domain::RoomId(room))}, patiently());
    REQUIRE(reply.ok());
    return reply.value.items.empty() ? 0 : reply.value.items.front().modified;
  }

  etcd::Client client;
  cluster::Keys keys{etcd::Options{}.prefix};
};

}  // namespace

TEST_CASE("a room has one gateway, whichever sidecar is asked first") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  for (int i = 0; i < 10; ++i) {
    FleetSidecar& first = i % 2 == 0 ? a : b;
    FleetSidecar& second = i % 2 == 0 ? b : a;
    const std::string gateway = first.gateway(room_named(i));
    CHECK(gateway.substr(0, 3) == "gxy");
    CHECK(second.ask(room_named(i)) == gateway + " sticky");  // though it may not have followed it yet
    CHECK(first.ask(room_named(i)) == gateway + " sticky");
  }
}

TEST_CASE("simultaneous requests at two sidecars place each room once") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  constexpr int rooms = 50;
  std::map<std::string, std::vector<std::string>> answers;
  std::mutex mutex;
  std::vector<std::thread> askers;
  for (unsigned asker = 0; asker < 16; ++asker) {
    askers.emplace_back([&, asker] {
      std::vector<int> order(rooms);
      for (int i = 0; i < rooms; ++i) order[static_cast<std::size_t>(i)] = i;
      // Pairs of askers, one at each sidecar, go in the same order, and the pairs in different orders.
      std::shuffle(order.begin(), order.end(), std::mt19937(asker / 4));
      for (const int i : order) {
        const std::string answer = (asker % 2 == 0 ? a : b).ask(room_named(i));
        const std::lock_guard lock(mutex);
        answers[room_named(i)].push_back(answer);
      }
    });
  }
  for (auto& asker : askers) asker.join();
  REQUIRE(answers.size() == rooms);
  for (const auto& [room, given] : answers) {
    std::set<std::string> gateways;
    std::ptrdiff_t placed = 0;
    for (const std::string& answer : given) {
      gateways.insert(answer.substr(0, answer.find(' ')));
      placed += answer.find(" sticky") == std::string::npos;
    }
    INFO(room << ": " << given.front() << " … " << given.back());
    CHECK(given.size() == 16);
    CHECK(gateways.size() == 1);
    CHECK(gateways.begin()->substr(0, 3) == "gxy");
    CHECK(placed == 1);
  }
  // Both know, and remember, the same.
  for (int i = 0; i < rooms; ++i) {
    const std::string room = room_named(i);
    CHECK(comes_true([&] { return !a.knows(room).empty() && a.knows(room) == b.knows(room); }));
    CHECK(a.row(room) == b.row(room));
  }
}

TEST_CASE("an assignment by one sidecar soon reaches the other sidecars and their files") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options()), c(etcd.patient_options());
  const std::string gateway = a.gateway("r/1");
  CHECK(comes_true([&] { return b.knows("r/1") == gateway && c.knows("r/1") == gateway; }));
  CHECK(b.row("r/1") == gateway);
  CHECK(comes_true([&] { return a.fleet->view().sidecars.size() == 3 && c.fleet->view().sidecars.size() == 3; }));
  CHECK_FALSE(a.fleet->problem());
}

TEST_CASE("a room ends when its last user leaves, at whichever sidecar") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  Look look(etcd);
  const std::string gateway = a.gateway("r");
  REQUIRE(a.report("r", "s") == gateway + " 1");
  REQUIRE(b.report("r", "t").starts_with(gateway + " "));
  REQUIRE(comes_true([&] { return look.is_marked("r", b.id()); }));
  FleetSidecar& first = GENERATE(true, false) ? a : b;
  FleetSidecar& last = &first == &a ? b : a;
  CHECK_FALSE(first.leave("r", &first == &a ? "s" : "t"));
  CHECK(look.gateway_of("r") == gateway);
  CHECK(last.leave("r", &first == &a ? "t" : "s"));
  CHECK(look.gateway_of("r").empty());
  CHECK(comes_true([&] { return a.knows("r").empty() && b.knows("r").empty(); }));
  CHECK(comes_true([&] { return a.row("r").empty() && b.row("r").empty(); }));
}

TEST_CASE("users are counted over all sidecars, in answers, listings and loads") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options()), c(etcd.patient_options());
  const auto users = [](FleetSidecar& fleet_sidecar, const domain::RoomId& room) {
    const auto listing = app::find_room(*fleet_sidecar.registry, room);
    return listing ? listing->users : 0;
  };
  const std::string gateway = a.gateway("r");
  for (int i = 0; i < 3; ++i) a.report("r", "a" + std::to_string(i));
  for (int i = 0; i < 2; ++i) b.report("r", "b" + std::to_string(i));
  // No second has passed: the announced numbers are those of the rooms' first use.
  CHECK(comes_true([&] { return users(c, "r") == 2; }));
  for (FleetSidecar* fleet_sidecar : {&a, &b, &c}) fleet_sidecar->pass(1s);
  for (FleetSidecar* fleet_sidecar : {&a, &b, &c}) {
    CHECK(comes_true([&] { return users(*fleet_sidecar, "r") == 5; }));
    const auto page = app::list_assignments(*fleet_sidecar->registry, "", 10, std::nullopt);
    CHECK(page.items.front().users == 5);
    for (const auto& listing : app::list_gateways(*fleet_sidecar->registry)) {
      CHECK(listing.users == (listing.name == gateway ? 5 : 0));
    }
  }
  SECTION("reports of enters and leaves answer the sum") {
    CHECK(b.report("r", "b2") == gateway + " 6");
    const auto left = app::leave_room(*c.registry, "r", "nobody");
    CHECK(left.users == 5);
    for (int i = 0; i < 3; ++i) app::leave_room(*b.registry, "r", "b" + std::to_string(i));
    CHECK(comes_true([&] { return users(a, "r") == 3; }));
    CHECK(app::leave_room(*a.registry, "r", "a0").users == 2);
  }
  SECTION("as load, where that is by sessions") {
    app::Configured by_sessions = c.configured;
    by_sessions.options.load_by = domain::LoadBy::sessions;
    by_sessions.options.avg_room_occupancy = 2;
    REQUIRE(c.keeper->reload(by_sessions).problems.empty());
    for (const auto& listing : app::list_gateways(*c.registry))
      CHECK(listing.load == (listing.name == gateway ? 5 : 0));
  }
  SECTION("also at a sidecar that joins only now") {
    FleetSidecar late(etcd.patient_options());
    CHECK(comes_true([&] { return users(late, "r") == 5; }));
  }
  SECTION("not any more once a sidecar is alone, and again when it shares") {
    a.configure(etcd::Options{});
    CHECK(users(a, "r") == 3);
    a.configure(etcd.patient_options());
    CHECK(comes_true([&] { return a.is_live() && users(a, "r") == 5; }));
  }
}

TEST_CASE("a room's number of users is announced at most once a second, as one change") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  a.gateway("r");
  a.report("r", "first");
  const auto users = [&] { return app::find_room(*b.registry, "r")->users; };
  REQUIRE(comes_true([&] { return users() == 1; }));
  a.pass(1s);
  const auto before = b.fleet->counts().changes.value();
  constexpr int many = 200;
  for (int i = 0; i < many; ++i) a.report("r", "s" + std::to_string(i));
  REQUIRE(comes_true([&] { return users() > 1; }));
  a.pass(1s);
  REQUIRE(comes_true([&] { return users() == many + 1; }));
  // One or two for the users; a heartbeat may come in between.
  CHECK(b.fleet->counts().changes.value() - before < 10);
}

TEST_CASE("the users of a departed sidecar count no more after dead_after, and again when it is back") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  app::Configured impatient = b.configured;
  impatient.options.dead_after = 1s;
  REQUIRE(b.keeper->reload(impatient).problems.empty());
  a.gateway("r");
  a.report("r", "s");
  const auto users = [&] { return app::find_room(*b.registry, "r")->users; };
  REQUIRE(comes_true([&] { return users() == 1; }));
  a.stop();
  CHECK(comes_true([&] { return users() == 0; }));
  a.start();
  CHECK(comes_true([&] { return users() == 1; }));
}

TEST_CASE("users missing from a restarted sidecar's file are counted nowhere") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  const auto users = [](FleetSidecar& fleet_sidecar) { return app::find_room(*fleet_sidecar.registry, "r")->users; };
  a.gateway("r");
  a.report("r", "at-a");
  b.report("r", "at-b");
  REQUIRE(comes_true([&] { return users(a) == 2 && users(b) == 2; }));
  a.stop();
  a.text("DELETE FROM sessions");
  a.start();
  CHECK(comes_true([&] { return a.is_live() && users(a) == 1 && users(b) == 1; }));
}

TEST_CASE("a sidecar's identity is in its file before it writes to the shared store") {
  EtcdProcess etcd;
  std::string path;
  std::atomic<bool> is_new{false};
  std::atomic<int> changes{0}, unknown{0};
  const SlowLink link(etcd.endpoint(0), 0ms, [&](std::string_view piece) {
    const bool changes_something = piece.starts_with("POST /v3/kv/txn") || piece.starts_with("POST /v3/lease/grant");
    if (!is_new || !changes_something) return true;
    ++changes;
    store::Database file(path, store::OpenMode::read_write);
    if (!store::read_meta(file, cluster::identity_fact)) ++unknown;
    return true;
  });
  etcd::Options options = etcd.patient_options();
  options.endpoints = {link.endpoint()};
  FleetSidecar fleet_sidecar(options);
  const std::string before = fleet_sidecar.id();
  fleet_sidecar.stop();
  path = fleet_sidecar.path();
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
  is_new = true;
  fleet_sidecar.start();
  CHECK(fleet_sidecar.id() != before);
  Look look(etcd);
  CHECK(comes_true([&] { return look.is_there(look.keys.sidecar(fleet_sidecar.id())); }));
  CHECK(changes > 0);
  CHECK(unknown == 0);
}

TEST_CASE("a room that nobody joined ends after its grace, once the grace of every sidecar is over") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  Look look(etcd);
  const std::string gateway = a.gateway("r");
  REQUIRE(b.ask("r") == gateway + " sticky");
  REQUIRE(comes_true([&] { return look.is_marked("r", a.id()) && look.is_marked("r", b.id()); }));
  a.pass(121s);
  CHECK(app::clean_up(*a.registry) == 0);
  CHECK(look.gateway_of("r") == gateway);
  CHECK_FALSE(look.is_marked("r", a.id()));
  CHECK(app::clean_up(*b.registry) == 0);
  b.pass(121s);
  CHECK(app::clean_up(*b.registry) == 1);
  CHECK(look.gateway_of("r").empty());
}

TEST_CASE("rooms that were given up return to their gateways, whichever sidecar is asked") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  constexpr int rooms = 12;
  std::map<std::string, std::string> were;
  for (int i = 0; i < rooms; ++i) {
    const std::string room = room_named(i);
    were[room] = a.gateway(room);
    REQUIRE(a.report(room, "s" + room) == were[room] + " 1");
  }
  for (const auto& [room, gateway] : were) CHECK(a.leave(room, "s" + room));
  for (int i = rooms - 1; i >= 0; --i) {
    const std::string room = room_named(i);
    INFO(room);
    CHECK(b.ask(room) == were[room] + " assigned");
  }
}

TEST_CASE("a user that enters while the last one leaves at another sidecar keeps the room's gateway") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  Look look(etcd);
  constexpr int rooms = 30;
  std::map<std::string, std::string> were;
  for (int i = 0; i < rooms; ++i) {
    const std::string room = room_named(i);
    were[room] = a.gateway(room);
    REQUIRE(a.report(room, "s" + room) == were[room] + " 1");
    REQUIRE(comes_true([&] { return b.knows(room) == were[room]; }));
  }
  std::thread leaves([&] {
    for (const auto& entry : were) a.leave(entry.first, "s" + entry.first);
  });
  std::map<std::string, std::string> reported;
  for (const auto& entry : were) reported[entry.first] = b.report(entry.first, "t" + entry.first);
  leaves.join();
  for (const auto& [room, gateway] : were) {
    INFO(room << " was on " << gateway);
    CHECK(reported[room].starts_with(gateway + " "));
    CHECK(comes_true([&, name = room] { return look.is_marked(name, b.id()); }));
    CHECK(look.gateway_of(room) == gateway);
    CHECK(comes_true([&, name = room] { return a.knows(name) == were[name] && b.knows(name) == were[name]; }));
  }
}

TEST_CASE("a late answer to a give-up forgets no room that another sidecar has opened again since") {
  EtcdProcess etcd;
  SlowLink link(etcd.endpoint(0), 0ms);
  etcd::Options options = etcd.options();
  options.endpoints = {link.endpoint()};
  options.attempt_timeout = options.timeout = 30s;  // of the delayed answer
  FleetSidecar a(options), b(etcd.options());
  Look look(etcd);
  const std::string gateway = a.gateway("r");
  std::function<void()> end;
  SECTION("the last user leaves") {
    REQUIRE(a.report("r", "at-a") == gateway + " 1");
    end = [&] { a.leave("r", "at-a"); };
  }
  SECTION("an operator releases it") {
    end = [&] { a.fleet->release("r", true, std::chrono::steady_clock::now() + 30s); };
  }
  REQUIRE(comes_true([&] { return b.knows("r") == gateway; }));
  link.hold(etcd::to_base64(look.keys.tombstone("r")));
  std::jthread ends(end);
  REQUIRE(comes_true([&] { return look.gateway_of("r").empty() && b.knows("r").empty(); }));
  const std::string again = b.gateway("r");
  // The room may come back to the gateway that it had, so the row's revision shows whether it has been followed.
  const etcd::Revision opened = look.modified("r");
  CHECK(comes_true([&] { return a.fleet->view().revision >= opened && a.knows("r") == again; }));
  link.let_go();
  ends.join();
  CHECK(a.knows("r") == again);
  CHECK(look.gateway_of("r") == again);
}

TEST_CASE("a restarted sidecar answers as before, and has followed the changes in between") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  Look look(etcd);
  std::map<std::string, std::string> were;
  for (int i = 0; i < 5; ++i) were[room_named(i)] = a.gateway(room_named(i));
  REQUIRE(b.report("ends", "s") != "storage_unavailable");
  REQUIRE(comes_true([&] { return !a.knows("ends").empty(); }));
  const std::string id = a.id();
  a.stop();
  for (int i = 5; i < 10; ++i) were[room_named(i)] = b.gateway(room_named(i));
  REQUIRE(b.leave("ends", "s"));
  a.start();
  CHECK(a.id() == id);
  for (const auto& [room, gateway] : were) CHECK(a.ask(room) == gateway + " sticky");
  CHECK(comes_true([&] { return a.is_live(); }));
  CHECK(a.knows("ends").empty());
  for (const auto& [room, gateway] : were) CHECK(look.gateway_of(room) == gateway);
}

TEST_CASE("a sidecar that stops sharing and shares again moves no room in use") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  Look look(etcd);
  std::map<std::string, std::string> were;
  for (int i = 0; i < 6; ++i) {
    const std::string room = room_named(i);
    were[room] = (i % 2 == 0 ? a : b).gateway(room);
    if (i < 3) REQUIRE(a.report(room, "s" + room) == were[room] + " 1");
  }
  REQUIRE(comes_true([&] { return a.knows(room_named(5)) == were[room_named(5)]; }));
  a.configure(etcd::Options{});
  CHECK(a.fleet->view().engine == "none");
  for (const auto& [room, gateway] : were) CHECK(a.ask(room) == gateway + " sticky");
  const std::string alone = a.gateway("alone");
  REQUIRE(a.report("alone", "s") == alone + " 1");
  CHECK(look.gateway_of("alone").empty());
  a.configure(etcd.patient_options());
  REQUIRE(comes_true([&] { return a.is_live(); }));
  for (const auto& [room, gateway] : were) {
    INFO(room);
    CHECK(a.ask(room) == gateway + " sticky");
    CHECK(b.gateway(room) == gateway);  // which republishes it itself, if a's republishing is still under way
    CHECK(look.gateway_of(room) == gateway);
  }
  // A room assigned while a was alone has been republished.
  CHECK(comes_true([&] { return look.gateway_of("alone") == alone && b.knows("alone") == alone; }));
  CHECK(a.fleet->counts().conflicts.value() == 0);
}

TEST_CASE("a drain at one sidecar holds at every sidecar") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  const auto drains = [](FleetSidecar& fleet_sidecar) {
    const auto policy = fleet_sidecar.registry->policy();
    return policy->catalogue().gateway("gxy2")->draining;
  };
  CHECK(a.keeper->set_draining("gxy2", domain::Draining::yes) == app::CatalogueKeeper::Drained::done);
  CHECK(comes_true([&] { return drains(b); }));
  CHECK(drains(a));
  CHECK(b.keeper->set_draining("gxy2", domain::Draining::no) == app::CatalogueKeeper::Drained::done);
  CHECK(comes_true([&] { return !drains(a); }));
}

TEST_CASE("an operator's release is refused while users are in the room at another sidecar, unless forced") {
  EtcdProcess etcd;
  FleetSidecar a(etcd.patient_options()), b(etcd.patient_options());
  Look look(etcd);
  const std::string gateway = b.gateway("r");
  REQUIRE(b.report("r", "s") == gateway + " 1");
  REQUIRE(comes_true([&] { return a.knows("r") == gateway; }));
  CHECK(app::release_room(*a.registry, "r", false) == app::Released::occupied);
  CHECK(look.gateway_of("r") == gateway);
  CHECK(app::release_room(*a.registry, "r", true) == app::Released::done);
  CHECK(look.gateway_of("r").empty());
  CHECK(comes_true([&] { return b.knows("r").empty(); }));
  CHECK(b.gateway("r").substr(0, 3) == "gxy");
}
