// Decisions beside other sidecars, with incomplete knowledge of the shared store.
#include "catch.h"
#include "decision_fixture.h"

namespace {

using namespace std::chrono_literals;
using domain_test::at;
using Asker = domain::Question::Asker;

// Any room.
struct Fixture : domain_test::DecisionFixture {
  Fixture() { options.unknown_rooms = domain::UnknownRooms::accept; }
  void follow(const domain::RoomId& room, const std::string& gateway) {
    ledger.follow({room, gateway, "", at(0s).wall, at(0s).wall});
  }
  void let_die(const std::string& name) {
    domain::HealthOptions asked;
    asked.http = true;
    std::vector<domain::GatewayId> all;
    for (const auto& gateway : gateways) all.push_back(ledger.number_of(gateway.name));
    health.watch(asked, all);
    for (int i = 0; i < 10; ++i) {
      now += 2s;
      for (const auto number : all) {
        health.observe(number, domain::HealthSource::http, i < 2 || ledger.name_of(number) != name, at(now).service);
      }
      health.evaluate(at(now).service);
    }
  }
};

}  // namespace

TEST_CASE("an outdated view answers only rooms in use here, since other rooms may have moved") {
  Fixture fixture;
  fixture.follow("r", "gxy4");
  CHECK(fixture.ask({"r"}) == "gxy4 sticky");
  fixture.store_view.is_outdated = true;
  CHECK(fixture.ask({"r"}) == "storage_unavailable");
  CHECK(fixture.ask({"r", "", Asker::session}) == "storage_unavailable");
  fixture.ledger.enter("s", "r", {}, domain::Sessions::Report::own, at(0s));
  CHECK(fixture.ask({"r"}) == "gxy4 sticky");
  CHECK(fixture.ask({"r", "", Asker::session}) == "gxy4 sticky");
  fixture.ledger.leave("s", "r");
  CHECK(fixture.ask({"r"}) == "storage_unavailable");
  // A room that nobody has can be claimed, which asks the shared store.
  CHECK(fixture.ask({"q"}) == "book gxy1 assigned");
}

TEST_CASE("no new room is placed while claims are impossible, and known rooms are answered") {
  Fixture fixture;
  fixture.follow("r", "gxy4");
  fixture.store_view.may_claim = false;
  CHECK(fixture.ask({"q"}) == "storage_unavailable");
  CHECK(fixture.ask({"q", "", Asker::session, "gxy3"}) == "storage_unavailable");
  CHECK(fixture.ask({"r"}) == "gxy4 sticky");
  CHECK(fixture.ask({"r", "", Asker::session}) == "gxy4 sticky");
  fixture.options.pins.push_back({"q", "gxy2", ""});
  CHECK(fixture.ask({"q"}) == "storage_unavailable");
}

TEST_CASE("moves and pins wait while claims are impossible") {
  Fixture fixture;
  fixture.follow("r", "gxy4");
  SECTION("off a gateway that is being evacuated") {
    fixture.gateways[3].draining = fixture.gateways[3].evacuating = true;
    CHECK(fixture.ask({"r"}) == "book gxy1 reassigned");
    CHECK(fixture.ask({"r", "", Asker::mover}) == "book gxy1 reassigned");
  }
  SECTION("off one that is down") {
    fixture.let_die("gxy4");
    CHECK(fixture.ask({"r"}) == "book gxy1 reassigned");
  }
  SECTION("to a pin") {
    fixture.options.pins.push_back({"r", "gxy2", ""});
    CHECK(fixture.ask({"r"}) == "book gxy2 pinned");
  }
  fixture.store_view.may_claim = false;
  CHECK(fixture.ask({"r"}) == "gxy4 sticky");
  CHECK(fixture.ask({"r", "", Asker::mover}) == "gxy4 sticky");
}

TEST_CASE("a pin waits while another sidecar uses the room") {
  Fixture fixture;
  fixture.follow("r", "gxy4");
  fixture.options.pins.push_back({"r", "gxy2", ""});
  fixture.ledger.note_elsewhere("r", at(10s).service);
  CHECK(fixture.ask({"r"}) == "gxy4 sticky");
  fixture.now = 10s;
  CHECK(fixture.ask({"r"}) == "book gxy2 pinned");
}

TEST_CASE("a pending claim is waited for, however little is known") {
  Fixture fixture;
  fixture.ledger.book("r", fixture.ledger.number_of("gxy2"), "", at(0s));
  fixture.store_view = {domain::Placement::Selection::two_choices, false, true};
  CHECK(fixture.ask({"r"}) == "pending");
}

TEST_CASE("a tombstone returns a room to its gateway, whatever the loads are") {
  Fixture fixture;
  fixture.ledger.set_tombstone("r", "gxy4");
  for (int i = 0; i < 5; ++i) fixture.follow(domain::RoomId("other" + std::to_string(i)), "gxy4");
  CHECK(fixture.ask({"r"}) == "book gxy4 assigned");
  CHECK(fixture.ask({"q"}) == "book gxy1 assigned");
  // A session's report of another gateway counts less.
  CHECK(fixture.ask({"r", "", Asker::session, "gxy3"}) == "book gxy4 assigned");
}

TEST_CASE("a tombstone does not return a room to a gateway that takes no rooms") {
  Fixture fixture;
  fixture.ledger.set_tombstone("r", "gxy4");
  SECTION("being evacuated") { fixture.gateways[3].draining = fixture.gateways[3].evacuating = true; }
  SECTION("disabled") { fixture.gateways[3].disabled = true; }
  SECTION("removed") { fixture.gateways[3].removed = true; }
  SECTION("of another type") { fixture.gateways[3].type = "streaming"; }
  SECTION("gone") { fixture.gateways.pop_back(); }
  SECTION("down") { fixture.let_die("gxy4"); }
  CHECK(fixture.ask({"r"}) == "book gxy1 assigned");
}

TEST_CASE("a tombstone returns a room even to a draining or unlisted gateway, since it is the same meeting") {
  Fixture fixture;
  fixture.ledger.set_tombstone("r", "gxy4");
  SECTION("draining") { fixture.gateways[3].draining = true; }
  SECTION("not listed") { fixture.options.available_servers = {{"gxy1", "gxy2"}}; }
  CHECK(fixture.ask({"r"}) == "book gxy4 assigned");
}

TEST_CASE("a pin goes before a tombstone") {
  Fixture fixture;
  fixture.ledger.set_tombstone("r", "gxy4");
  fixture.options.pins.push_back({"r", "gxy2", ""});
  CHECK(fixture.ask({"r"}) == "book gxy2 pinned");
}

TEST_CASE("a sidecar that shares with no other is never outdated, and may claim everything") {
  const domain::StoreView store_view;
  CHECK(store_view.may_claim);
  CHECK_FALSE(store_view.is_outdated);
  CHECK(store_view.selection == domain::Placement::Selection::least_loaded);
}
