#include "domain/decision.h"

#include "catch.h"
#include "decision_fixture.h"

namespace {

using namespace std::chrono_literals;
using domain_test::at;
using Asker = domain::Question::Asker;

struct House : domain_test::DecisionFixture {
  House() {
    add_room("2171", 1);
    add_room("lost", 999);
    add_room("none", std::nullopt);
    add_room("shut", 1);
    rooms.back().disabled = true;
    options.regions.push_back({"IL", {"gxy3"}, ""});
  }
  void add_room(const std::string& uid, std::optional<std::int64_t> gateway) {
    domain::Room room;
    room.id = static_cast<std::int64_t>(rooms.size()) + 1;
    room.gateway_uid = uid;
    room.default_gateway_id = gateway;
    rooms.push_back(room);
  }
  void assign(std::string_view room, std::string_view gateway) { domain_test::assign(ledger, room, gateway, at(0s)); }
};

}  // namespace

TEST_CASE("legacy mode answers with the default gateway, and a pin first") {
  House house;
  house.options.scale = false;
  CHECK(house.ask({"2171"}) == "gxy1 default");
  CHECK(house.ask({"nowhere"}) == "room_not_found");
  CHECK(house.ask({"shut"}) == "room_not_found");
  CHECK(house.ask({"lost"}) == "gateway_not_found");
  CHECK(house.ask({"none"}) == "gateway_not_found");
  house.assign("2171", "gxy4");
  CHECK(house.ask({"2171", "IL"}) == "gxy1 default");
  house.gateways[0].draining = true;
  CHECK(house.ask({"2171"}) == "gxy1 default");
  house.options.pins.push_back({"2171", "gxy2", ""});
  CHECK(house.ask({"2171"}) == "gxy2 pinned");
  house.gateways[1].disabled = true;
  CHECK(house.ask({"2171"}) == "gateway_not_found");
}

TEST_CASE("legacy mode refuses a default gateway that is disabled, removed or of another type") {
  House house;
  house.options.scale = false;
  SECTION("disabled") { house.gateways[0].disabled = true; }
  SECTION("removed") { house.gateways[0].removed = true; }
  SECTION("of another type") { house.gateways[0].type = "streaming"; }
  CHECK(house.ask({"2171"}) == "gateway_not_found");
}

TEST_CASE("an unknown room is one only where any id is a room") {
  House house;
  CHECK(house.ask({"new"}) == "room_not_found");
  house.options.unknown_rooms = domain::UnknownRooms::accept;
  CHECK(house.ask({"new"}) == "book gxy1 assigned");
  CHECK(house.ask({"shut"}) == "room_not_found");
  house.options.scale = false;
  CHECK(house.ask({"new"}) == "room_not_found");
}

TEST_CASE("an assignment answers everyone, whatever becomes of its gateway") {
  House house;
  house.assign("2171", "gxy4");
  SECTION("nothing") {}
  SECTION("disabled") { house.gateways[3].disabled = true; }
  SECTION("draining") { house.gateways[3].draining = true; }
  SECTION("not listed any more") { house.options.available_servers = {{"gxy1"}}; }
  SECTION("gone") { house.gateways.pop_back(); }
  CHECK(house.ask({"2171", "IL"}) == "gxy4 sticky");
  CHECK(house.ask({"2171", "", Asker::session, "gxy1"}) == "gxy4 sticky");
}

TEST_CASE("a pin wins over the steps, also when its gateway is full, draining or unlisted") {
  House house;
  house.options.pins.push_back({"2171", "gxy2", ""});
  SECTION("nothing") {}
  SECTION("draining") { house.gateways[1].draining = true; }
  SECTION("full") { house.gateways[1].capacity = 1; }
  SECTION("unlisted") { house.options.available_servers = {{"gxy1"}}; }
  CHECK(house.ask({"2171"}) == "book gxy2 pinned");
  CHECK(house.ask({"2171", "", Asker::session, "gxy4"}) == "book gxy2 pinned");
  house.assign("2171", "gxy2");
  CHECK(house.ask({"2171"}) == "gxy2 pinned");
  house.gateways[1].disabled = true;
  CHECK(house.ask({"2171"}) == "gxy2 sticky");
}

TEST_CASE("a pin on a disabled gateway is refused") {
  House house;
  house.options.pins.push_back({"2171", "gxy2", ""});
  house.gateways[1].disabled = true;
  CHECK(house.ask({"2171"}) == "no_gateway_available");
}

TEST_CASE("a new pin waits until the room is empty, and a pin taken away leaves the room where it is") {
  House house;
  house.assign("2171", "gxy4");
  house.ledger.enter("s", "2171", {}, domain::Ledger::Report::own, at(1s));
  house.options.pins.push_back({"2171", "gxy2", ""});
  CHECK(house.ask({"2171"}) == "gxy4 sticky");
  house.ledger.leave("s", "2171");
  CHECK(house.ask({"2171", "", Asker::session}) == "gxy4 sticky");
  CHECK(house.ask({"2171"}) == "book gxy2 pinned");
  house.options.pins.clear();
  CHECK(house.ask({"2171"}) == "gxy4 sticky");
}

TEST_CASE("a session's word places a room that has no assignment, if its gateway can be used") {
  House house;
  CHECK(house.ask({"2171", "", Asker::session, "gxy4"}) == "book gxy4 assigned");
  CHECK(house.ask({"2171", "", Asker::session}) == "book gxy1 assigned");
  CHECK(house.ask({"2171", "", Asker::session, "unheard-of"}) == "book gxy1 assigned");
  house.gateways[3].draining = true;
  CHECK(house.ask({"2171", "", Asker::session, "gxy4"}) == "book gxy4 assigned");
  house.gateways[3].disabled = true;
  CHECK(house.ask({"2171", "", Asker::session, "gxy4"}) == "book gxy1 assigned");
}

TEST_CASE("an occupied room without assignment is placed where its users are") {
  House house;
  house.assign("other", "gxy1");  // so that the steps would not choose gxy1
  house.ledger.enter("s", "2171", {}, domain::Ledger::Report::own, at(0s));
  CHECK(house.ask({"2171"}) == "book gxy1 assigned");  // where legacy mode has sent it
  house.ledger.enter("s", "2171", "gxy4", domain::Ledger::Report::own, at(0s));
  CHECK(house.ask({"2171"}) == "book gxy4 assigned");
}

TEST_CASE("while a claim is under way everybody waits for it") {
  House house;
  house.ledger.book("2171", house.ledger.number_of("gxy1"), "", at(0s));
  CHECK(house.ask({"2171"}) == "pending");
}

TEST_CASE("regional_match is true only if the chosen gateway is in the caller's region") {
  House house;
  const auto matches = [&](const char* country) {
    const domain::Policy p = house.policy();
    return domain::decide({p, house.ledger, house.health, at(0s).service}, {"2171", country}).regional_match;
  };
  CHECK(matches("IL"));
  CHECK_FALSE(matches("US"));
  CHECK_FALSE(matches(""));
  house.gateways[2].disabled = true;  // the whole region
  CHECK_FALSE(matches("IL"));
}

TEST_CASE("what is explained is what is decided, with the chosen gateway among the candidates") {
  House house;
  std::vector<domain::Verdict> verdicts;
  CHECK(house.ask({"2171", "IL"}, &verdicts) == "book gxy3 assigned");
  CHECK(verdicts.size() == 4);
  verdicts.clear();
  house.assign("2171", "gxy2");
  CHECK(house.ask({"2171", "IL"}, &verdicts) == "gxy2 sticky");
  REQUIRE(verdicts.size() == 1);
  CHECK(verdicts[0].name == "gxy2");
  CHECK(verdicts[0].verdict == "chosen");
}

TEST_CASE("a country code is logged trimmed and in capitals, and not at all if it is over 16 bytes") {
  CHECK(domain::country_as_logged(" il\t") == "IL");
  CHECK(domain::country_as_logged("") == "");
  CHECK(domain::country_as_logged("   ") == "");
  CHECK(domain::country_as_logged(std::string(16, 'x')) == std::string(16, 'X'));
  CHECK(domain::country_as_logged(std::string(17, 'x')) == "");
}

TEST_CASE("what holds a room without placing it is its assignment, else its pin") {
  House house;
  CHECK_FALSE(standing_gateway(house.policy(), house.ledger, "2171"));
  house.options.pins.push_back({"2171", "gxy2", ""});
  CHECK(standing_gateway(house.policy(), house.ledger, "2171") == "gxy2");
  house.assign("2171", "gxy4");
  CHECK(standing_gateway(house.policy(), house.ledger, "2171") == "gxy4");
  house.options.scale = false;
  CHECK(standing_gateway(house.policy(), house.ledger, "2171") == "gxy2");
  house.options.pins.clear();
  CHECK(standing_gateway(house.policy(), house.ledger, "2171") == "gxy1");
  CHECK_FALSE(standing_gateway(house.policy(), house.ledger, "lost"));
}
