#include "domain/decision.h"

#include "catch.h"
#include "decision_fixture.h"

namespace {

using namespace std::chrono_literals;
using domain_test::at;
using Asker = domain::Question::Asker;

struct Fixture : domain_test::DecisionFixture {
  Fixture() {
    add_room("2171", domain::RowId{1});
    add_room("lost", domain::RowId{999});
    add_room("none", std::nullopt);
    add_room("shut", domain::RowId{1});
    rooms.back().disabled = true;
    options.regions.push_back({"IL", {"gxy3"}, ""});
  }
  void add_room(const domain::RoomId& uid, std::optional<domain::RowId> gateway) {
    domain::Room room;
    room.id = domain::RowId(static_cast<std::int64_t>(rooms.size()) + 1);
    room.gateway_uid = uid;
    room.default_gateway_id = gateway;
    rooms.push_back(room);
  }
  void assign(const domain::RoomId& room, std::string_view gateway) {
    domain_test::assign(ledger, room, gateway, at(0s));
  }
};

}  // namespace

TEST_CASE("legacy mode answers with the pin, else with the default gateway") {
  Fixture fixture;
  fixture.options.scale = false;
  CHECK(fixture.ask({"2171"}) == "gxy1 default");
  CHECK(fixture.ask({"nowhere"}) == "room_not_found");
  CHECK(fixture.ask({"shut"}) == "room_not_found");
  CHECK(fixture.ask({"lost"}) == "gateway_not_found");
  CHECK(fixture.ask({"none"}) == "gateway_not_found");
  fixture.assign("2171", "gxy4");
  CHECK(fixture.ask({"2171", "IL"}) == "gxy1 default");
  fixture.gateways[0].draining = true;
  CHECK(fixture.ask({"2171"}) == "gxy1 default");
  fixture.options.pins.push_back({"2171", "gxy2", ""});
  CHECK(fixture.ask({"2171"}) == "gxy2 pinned");
  fixture.gateways[1].disabled = true;
  CHECK(fixture.ask({"2171"}) == "gateway_not_found");
}

TEST_CASE("legacy mode refuses a default gateway that is disabled, removed or of another type") {
  Fixture fixture;
  fixture.options.scale = false;
  SECTION("disabled") { fixture.gateways[0].disabled = true; }
  SECTION("removed") { fixture.gateways[0].removed = true; }
  SECTION("of another type") { fixture.gateways[0].type = "streaming"; }
  CHECK(fixture.ask({"2171"}) == "gateway_not_found");
}

TEST_CASE("an unknown room is accepted only with unknown_rooms = accept") {
  Fixture fixture;
  CHECK(fixture.ask({"new"}) == "room_not_found");
  fixture.options.unknown_rooms = domain::UnknownRooms::accept;
  CHECK(fixture.ask({"new"}) == "book gxy1 assigned");
  CHECK(fixture.ask({"shut"}) == "room_not_found");
  fixture.options.scale = false;
  CHECK(fixture.ask({"new"}) == "room_not_found");
}

TEST_CASE("an assignment answers everyone, whatever becomes of its gateway") {
  Fixture fixture;
  fixture.assign("2171", "gxy4");
  SECTION("nothing") {}
  SECTION("disabled") { fixture.gateways[3].disabled = true; }
  SECTION("draining") { fixture.gateways[3].draining = true; }
  SECTION("no longer listed") { fixture.options.available_servers = {{"gxy1"}}; }
  SECTION("gone") { fixture.gateways.pop_back(); }
  CHECK(fixture.ask({"2171", "IL"}) == "gxy4 sticky");
  CHECK(fixture.ask({"2171", "", Asker::session, "gxy1"}) == "gxy4 sticky");
}

TEST_CASE("a pin goes before the steps, even when its gateway is full, draining or unlisted") {
  Fixture fixture;
  fixture.options.pins.push_back({"2171", "gxy2", ""});
  SECTION("nothing") {}
  SECTION("draining") { fixture.gateways[1].draining = true; }
  SECTION("full") { fixture.gateways[1].capacity = 1; }
  SECTION("unlisted") { fixture.options.available_servers = {{"gxy1"}}; }
  CHECK(fixture.ask({"2171"}) == "book gxy2 pinned");
  CHECK(fixture.ask({"2171", "", Asker::session, "gxy4"}) == "book gxy2 pinned");
  fixture.assign("2171", "gxy2");
  CHECK(fixture.ask({"2171"}) == "gxy2 pinned");
  fixture.gateways[1].disabled = true;
  CHECK(fixture.ask({"2171"}) == "gxy2 sticky");
}

TEST_CASE("a pin on a disabled gateway is refused") {
  Fixture fixture;
  fixture.options.pins.push_back({"2171", "gxy2", ""});
  fixture.gateways[1].disabled = true;
  CHECK(fixture.ask({"2171"}) == "no_gateway_available");
}

TEST_CASE("a new pin waits until the room is empty, and a pin taken away leaves the room where it is") {
  Fixture fixture;
  fixture.assign("2171", "gxy4");
  fixture.ledger.enter("s", "2171", {}, domain::Sessions::Report::own, at(1s));
  fixture.options.pins.push_back({"2171", "gxy2", ""});
  CHECK(fixture.ask({"2171"}) == "gxy4 sticky");
  fixture.ledger.leave("s", "2171");
  CHECK(fixture.ask({"2171", "", Asker::session}) == "gxy4 sticky");
  CHECK(fixture.ask({"2171"}) == "book gxy2 pinned");
  fixture.options.pins.clear();
  CHECK(fixture.ask({"2171"}) == "gxy4 sticky");
}

TEST_CASE("a room without assignment is placed on the gateway that a session reports, if that can be used") {
  Fixture fixture;
  CHECK(fixture.ask({"2171", "", Asker::session, "gxy4"}) == "book gxy4 assigned");
  CHECK(fixture.ask({"2171", "", Asker::session}) == "book gxy1 assigned");
  CHECK(fixture.ask({"2171", "", Asker::session, "unheard-of"}) == "book gxy1 assigned");
  fixture.gateways[3].draining = true;
  CHECK(fixture.ask({"2171", "", Asker::session, "gxy4"}) == "book gxy4 assigned");
  fixture.gateways[3].disabled = true;
  CHECK(fixture.ask({"2171", "", Asker::session, "gxy4"}) == "book gxy1 assigned");
}

TEST_CASE("an occupied room without assignment is placed where its users are") {
  Fixture fixture;
  fixture.assign("other", "gxy1");  // so that the steps would not choose gxy1
  fixture.ledger.enter("s", "2171", {}, domain::Sessions::Report::own, at(0s));
  CHECK(fixture.ask({"2171"}) == "book gxy1 assigned");  // where legacy mode has sent it
  fixture.ledger.enter("s", "2171", "gxy4", domain::Sessions::Report::own, at(0s));
  CHECK(fixture.ask({"2171"}) == "book gxy4 assigned");
}

TEST_CASE("every request for a room waits for its pending claim") {
  Fixture fixture;
  fixture.ledger.book("2171", fixture.ledger.number_of("gxy1"), "", at(0s));
  CHECK(fixture.ask({"2171"}) == "pending");
}

TEST_CASE("regional_match is true only if the chosen gateway is in the caller's region") {
  Fixture fixture;
  const auto matches = [&](const char* country) {
    const domain::Policy p = fixture.policy();
    return domain::decide({p, fixture.ledger, fixture.health, at(0s).service}, {"2171", country}).regional_match;
  };
  CHECK(matches("IL"));
  CHECK_FALSE(matches("US"));
  CHECK_FALSE(matches(""));
  fixture.gateways[2].disabled = true;  // the whole region
  CHECK_FALSE(matches("IL"));
}

TEST_CASE("an explanation equals the decision, and lists the chosen gateway among the candidates") {
  Fixture fixture;
  std::vector<domain::Verdict> verdicts;
  CHECK(fixture.ask({"2171", "IL"}, &verdicts) == "book gxy3 assigned");
  CHECK(verdicts.size() == 4);
  verdicts.clear();
  fixture.assign("2171", "gxy2");
  CHECK(fixture.ask({"2171", "IL"}, &verdicts) == "gxy2 sticky");
  REQUIRE(verdicts.size() == 1);
  CHECK(verdicts[0].name == "gxy2");
  CHECK(verdicts[0].verdict == "chosen");
}

TEST_CASE("a country code is logged trimmed and in capitals, and left out above 16 bytes") {
  CHECK(domain::country_as_logged(" il\t") == "IL");
  CHECK(domain::country_as_logged("") == "");
  CHECK(domain::country_as_logged("   ") == "");
  CHECK(domain::country_as_logged(std::string(16, 'x')) == std::string(16, 'X'));
  CHECK(domain::country_as_logged(std::string(17, 'x')) == "");
}

TEST_CASE("a room's standing gateway is its assignment, else its pin") {
  Fixture fixture;
  CHECK_FALSE(standing_gateway(fixture.policy(), fixture.ledger, "2171"));
  fixture.options.pins.push_back({"2171", "gxy2", ""});
  CHECK(standing_gateway(fixture.policy(), fixture.ledger, "2171") == "gxy2");
  fixture.assign("2171", "gxy4");
  CHECK(standing_gateway(fixture.policy(), fixture.ledger, "2171") == "gxy4");
  fixture.options.scale = false;
  CHECK(standing_gateway(fixture.policy(), fixture.ledger, "2171") == "gxy2");
  fixture.options.pins.clear();
  CHECK(standing_gateway(fixture.policy(), fixture.ledger, "2171") == "gxy1");
  CHECK_FALSE(standing_gateway(fixture.policy(), fixture.ledger, "lost"));
}
