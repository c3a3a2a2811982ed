// What is decided where others decide too, and not all of it is known.
#include "catch.h"
#include "decision_fixture.h"

namespace {

using namespace std::chrono_literals;
using domain_test::at;
using Asker = domain::Question::Asker;

// Any room.
struct House : domain_test::DecisionFixture {
  House() { options.unknown_rooms = domain::UnknownRooms::accept; }
  void follow(const std::string& room, const std::string& gateway) {
    ledger.follow({room, gateway, "", at(0s).wall, at(0s).wall});
  }
  void let_die(const std::string& name) {
    domain::HealthOptions asked;
    asked.http = true;
    std::vector<domain::GatewayNumber> all;
    for (const auto& gateway : gateways) all.push_back(ledger.number_of(gateway.name));
    health.watch(asked, all);
    for (int i = 0; i < 10; ++i) {
      now += 2s;
      for (const auto number : all) {
        health.hear(number, domain::HealthSource::http, i < 2 || ledger.name_of(number) != name, at(now).service);
      }
      health.conclude(at(now).service);
    }
  }
};

}  // namespace

TEST_CASE("outdated, a room is answered only while it is in use here: elsewhere it may have gone") {
  House house;
  house.follow("r", "gxy4");
  CHECK(house.ask({"r"}) == "gxy4 sticky");
  house.certainty.is_outdated = true;
  CHECK(house.ask({"r"}) == "storage_unavailable");
  CHECK(house.ask({"r", "", Asker::session}) == "storage_unavailable");
  house.ledger.enter("s", "r", {}, domain::Ledger::Report::own, at(0s));
  CHECK(house.ask({"r"}) == "gxy4 sticky");
  CHECK(house.ask({"r", "", Asker::session}) == "gxy4 sticky");
  house.ledger.leave("s", "r");
  CHECK(house.ask({"r"}) == "storage_unavailable");
  // One that nobody has can be claimed, which asks the others.
  CHECK(house.ask({"q"}) == "book gxy1 assigned");
}

TEST_CASE("while nobody can be asked no new room is placed, and known ones are answered") {
  House house;
  house.follow("r", "gxy4");
  house.certainty.may_claim = false;
  CHECK(house.ask({"q"}) == "storage_unavailable");
  CHECK(house.ask({"q", "", Asker::session, "gxy3"}) == "storage_unavailable");
  CHECK(house.ask({"r"}) == "gxy4 sticky");
  CHECK(house.ask({"r", "", Asker::session}) == "gxy4 sticky");
  house.options.pins.push_back({"q", "gxy2", ""});
  CHECK(house.ask({"q"}) == "storage_unavailable");
}

TEST_CASE("while nobody can be asked moves and pins wait") {
  House house;
  house.follow("r", "gxy4");
  SECTION("off a gateway that is being emptied") {
    house.gateways[3].draining = house.gateways[3].emptying = true;
    CHECK(house.ask({"r"}) == "book gxy1 reassigned");
    CHECK(house.ask({"r", "", Asker::mover}) == "book gxy1 reassigned");
  }
  SECTION("off one that is down") {
    house.let_die("gxy4");
    CHECK(house.ask({"r"}) == "book gxy1 reassigned");
  }
  SECTION("to a pin") {
    house.options.pins.push_back({"r", "gxy2", ""});
    CHECK(house.ask({"r"}) == "book gxy2 pinned");
  }
  house.certainty.may_claim = false;
  CHECK(house.ask({"r"}) == "gxy4 sticky");
  CHECK(house.ask({"r", "", Asker::mover}) == "gxy4 sticky");
}

TEST_CASE("a pin waits while another sidecar uses the room") {
  House house;
  house.follow("r", "gxy4");
  house.options.pins.push_back({"r", "gxy2", ""});
  house.ledger.note_elsewhere("r", at(10s).service);
  CHECK(house.ask({"r"}) == "gxy4 sticky");
  house.now = 10s;
  CHECK(house.ask({"r"}) == "book gxy2 pinned");
}

TEST_CASE("a claim under way is waited for, however little is known") {
  House house;
  house.ledger.book("r", house.ledger.number_of("gxy2"), "", at(0s));
  house.certainty = {domain::Placement::Manner::unsure, false, true};
  CHECK(house.ask({"r"}) == "pending");
}

TEST_CASE("a room that was given up goes back to its gateway, whatever the loads are") {
  House house;
  house.ledger.set_returning("r", "gxy4");
  for (int i = 0; i < 5; ++i) house.follow("other" + std::to_string(i), "gxy4");
  CHECK(house.ask({"r"}) == "book gxy4 assigned");
  CHECK(house.ask({"q"}) == "book gxy1 assigned");
  // A user who reports another place is believed less.
  CHECK(house.ask({"r", "", Asker::session, "gxy3"}) == "book gxy4 assigned");
}

TEST_CASE("a room that was given up does not go back to a gateway that takes no rooms") {
  House house;
  house.ledger.set_returning("r", "gxy4");
  SECTION("being emptied") { house.gateways[3].draining = house.gateways[3].emptying = true; }
  SECTION("disabled") { house.gateways[3].disabled = true; }
  SECTION("removed") { house.gateways[3].removed = true; }
  SECTION("of another type") { house.gateways[3].type = "streaming"; }
  SECTION("gone") { house.gateways.pop_back(); }
  SECTION("down") { house.let_die("gxy4"); }
  CHECK(house.ask({"r"}) == "book gxy1 assigned");
}

TEST_CASE(
    "a room that was given up goes back though its gateway drains by now, or is not listed: it is the same meeting") {
  House house;
  house.ledger.set_returning("r", "gxy4");
  SECTION("draining") { house.gateways[3].draining = true; }
  SECTION("not listed") { house.options.available_servers = {{"gxy1", "gxy2"}}; }
  CHECK(house.ask({"r"}) == "book gxy4 assigned");
}

TEST_CASE("a pin goes before the gateway that a room was on") {
  House house;
  house.ledger.set_returning("r", "gxy4");
  house.options.pins.push_back({"r", "gxy2", ""});
  CHECK(house.ask({"r"}) == "book gxy2 pinned");
}

TEST_CASE("alone nothing is outdated and everything may be claimed") {
  const domain::Certainty certainty;
  CHECK(certainty.may_claim);
  CHECK_FALSE(certainty.is_outdated);
  CHECK(certainty.manner == domain::Placement::Manner::alone);
}
