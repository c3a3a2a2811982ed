#include "catch.h"
#include "written.h"

namespace {

struct Case {
  const char* toml;
  std::vector<std::string> errors;
};

const std::string users = " is not a whole number of users above 0 (and not above 1000000000)";
const std::string name = " is not a gateway name (1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit)";
const std::string uid =
    " is not a room id (a text of 1 to 255 bytes without control characters, or a whole number "
    "from 0)";

}  // namespace

TEST_CASE("gateways are read with all their fields, and with the name alone") {
  const config::Loaded loaded = written::load(
      "[[gateways]]\nname = \" gxy1 \"\nurl = \"wss://x/\"\ntype = \"streaming\"\ncapacity = 50\n"
      "disabled = true\nid = 7\n\n[[gateways]]\nname = \"gxy2\"\n");
  CHECK(loaded.problems.empty());
  REQUIRE(loaded.configuration.gateways.size() == 2);
  const domain::ConfiguredGateway& full = loaded.configuration.gateways[0];
  CHECK(full.name == "gxy1");
  CHECK(full.url == "wss://x/");
  CHECK(full.type == "streaming");
  CHECK(full.capacity == 50);
  CHECK(full.disabled == true);
  CHECK(full.id == domain::RowId{7});
  CHECK(full.where == "config.toml:1");
  const domain::ConfiguredGateway& bare = loaded.configuration.gateways[1];
  CHECK_FALSE(bare.type);
  CHECK_FALSE(bare.capacity);
  CHECK_FALSE(bare.id);
  CHECK(bare.where == "config.toml:9");
}

TEST_CASE("rooms are read with their id as text or number") {
  const config::Loaded loaded = written::load(
      "[[rooms]]\ngateway_uid = \"2171\"\nname = \"Room 1\"\ndefault_gateway = \"gxy1\"\n"
      "disabled = true\nid = 3\n[[rooms]]\ngateway_uid = 2172\ndefault_gateway_id = 999\n"
      "[[rooms]]\ngateway_uid = 0x10\n[[rooms]]\ngateway_uid = \"a b\"\n");
  CHECK(loaded.problems.empty());
  REQUIRE(loaded.configuration.rooms.size() == 4);
  CHECK(loaded.configuration.rooms[0].gateway_uid == "2171");
  CHECK(loaded.configuration.rooms[0].name == "Room 1");
  CHECK(loaded.configuration.rooms[0].default_gateway == std::string("gxy1"));
  CHECK(loaded.configuration.rooms[0].disabled == true);
  CHECK(loaded.configuration.rooms[0].id == domain::RowId{3});
  CHECK(loaded.configuration.rooms[1].gateway_uid == "2172");
  CHECK(loaded.configuration.rooms[1].default_gateway_id == domain::RowId{999});
  CHECK(loaded.configuration.rooms[1].where == "config.toml:7");
  CHECK(loaded.configuration.rooms[2].gateway_uid == "16");
  CHECK(loaded.configuration.rooms[3].gateway_uid == "a b");
}

TEST_CASE("an empty list of entries is accepted in every spelling") {
  for (const char* toml : {"", "gateways = []\nrooms = []\n", "gateways = \"\"\n"}) {
    CAPTURE(toml);
    const config::Loaded loaded = written::load(toml);
    CHECK(loaded.problems.empty());
    CHECK(loaded.configuration.gateways.empty());
  }
}

TEST_CASE("an invalid gateway or room is refused with its line") {
  const std::vector<Case> cases = {
      {"[gateways]\nname = \"gxy1\"",
       {"config.toml:1: gateways: a table is not a list of entries: begin each with [[gateways]], "
        "in "
        "double brackets"}},
      {"gateways = [\"gxy1\", \"gxy2\"]",
       {"config.toml:1: gateways: \"gxy1\" is not an entry: begin each with [[gateways]]",
        "config.toml:1: gateways: \"gxy2\" is not an entry: begin each with [[gateways]]"}},
      {"[[gateways]]\nurl = \"x\"", {"config.toml:1: gateways.name: is missing: each [[gateways]] needs it"}},
      {"[[gateways]]\nname = \"\"", {"config.toml:1: gateways.name: is missing: each [[gateways]] needs it"}},
      {"[[gateways]]\nname = 5", {"config.toml:2: gateways.name: 5" + name}},
      {"[[gateways]]\nname = \"..\"", {"config.toml:2: gateways.name: \"..\"" + name}},
      {"[[gateways]]\nname = \"a\\u0085\"", {"config.toml:2: gateways.name: \"a\\u0085\"" + name}},
      {"[[gateways]]\nname = \"a\"\nurl = 5",
       {"config.toml:3: gateways.url: 5 is not a text without control characters"}},
      {"[[gateways]]\nname = \"a\"\ntype = [\"rooms\"]",
       {"config.toml:3: gateways.type: a list is not a text without control characters"}},
      {"[[gateways]]\nname = \"a\"\ncapacity = 0", {"config.toml:3: gateways.capacity: 0" + users}},
      {"[[gateways]]\nname = \"a\"\ncapacity = -1", {"config.toml:3: gateways.capacity: -1" + users}},
      {"[[gateways]]\nname = \"a\"\ncapacity = \"many\"", {"config.toml:3: gateways.capacity: \"many\"" + users}},
      {"[[gateways]]\nname = \"a\"\ncapacity = 2000000000", {"config.toml:3: gateways.capacity: 2000000000" + users}},
      {"[[gateways]]\nname = \"a\"\ncapacity = 9",
       {"config.toml:3: gateways.capacity: the average room (avg_room_occupancy = 10) is above "
        "this "
        "capacity (9): the gateway could take no room"}},
      {"[[gateways]]\nname = \"a\"\ndisabled = \"maybe\"",
       {"config.toml:3: gateways.disabled: \"maybe\" is not true or false (also 1/0, yes/no, "
        "on/off)"}},
      {"[[gateways]]\nname = \"a\"\nid = 0", {"config.toml:3: gateways.id: 0 is not a whole number above 0"}},
      {"[[gateways]]\nname = \"a\"\nid = \"x\"", {"config.toml:3: gateways.id: \"x\" is not a whole number above 0"}},
      {"[[gateways]]\nname = \"a\"\n[[gateways]]\nname = \"b\"\n[[gateways]]\nname = \" a\"",
       {"config.toml:5: gateways: name \"a\" is taken by the entry at config.toml:1: give each its "
        "own"}},
      {"[[gateways]]\nname = \"a\"\nid = 1\n[[gateways]]\nname = \"b\"\nid = 1",
       {"config.toml:4: gateways: id 1 is taken by the entry at config.toml:1: give each its own"}},
      {"[rooms]\ngateway_uid = 1",
       {"config.toml:1: rooms: a table is not a list of entries: begin each with [[rooms]], in "
        "double "
        "brackets"}},
      {"[[rooms]]\nname = \"x\"", {"config.toml:1: rooms.gateway_uid: is missing: each [[rooms]] needs it"}},
      {"[[rooms]]\ngateway_uid = -1", {"config.toml:2: rooms.gateway_uid: -1" + uid}},
      {"[[rooms]]\ngateway_uid = 1.5", {"config.toml:2: rooms.gateway_uid: 1.5" + uid}},
      {"[[rooms]]\ngateway_uid = \".\"", {"config.toml:2: rooms.gateway_uid: \".\"" + uid}},
      {"[[rooms]]\ngateway_uid = true", {"config.toml:2: rooms.gateway_uid: true" + uid}},
      {"[[rooms]]\ngateway_uid = 1\nname = 5",
       {"config.toml:3: rooms.name: 5 is not a text without control characters"}},
      {"[[rooms]]\ngateway_uid = 1\ndefault_gateway = 5", {"config.toml:3: rooms.default_gateway: 5" + name}},
      {"[[rooms]]\ngateway_uid = 1\ndefault_gateway_id = \"5\"",
       {"config.toml:3: rooms.default_gateway_id: \"5\" is not a whole number from 0"}},
      {"[[rooms]]\ngateway_uid = 1\ndefault_gateway_id = 5\ndefault_gateway = \"a\"",
       {"config.toml:1: rooms: default_gateway and default_gateway_id are both given: keep one of "
        "them"}},
      {"[[rooms]]\ngateway_uid = 1\n\n[[rooms]]\ngateway_uid = \"1\"",
       {"config.toml:4: rooms: gateway_uid \"1\" is taken by the entry at config.toml:1: give each "
        "its "
        "own"}},
      {"[[rooms]]\ngateway_uid = 1\nid = 5\n[[rooms]]\ngateway_uid = 2\nid = 5",
       {"config.toml:4: rooms: id 5 is taken by the entry at config.toml:1: give each its own"}},
      {"[[rooms]]\ngateway_uid = 1\nid = -5", {"config.toml:3: rooms.id: -5 is not a whole number above 0"}},
      {"[[rooms]]\ngateway_uid = 1\ndisabled = 7",
       {"config.toml:3: rooms.disabled: 7 is not true or false (also 1/0, yes/no, on/off)"}},
  };
  for (const Case& item : cases) {
    CAPTURE(item.toml);
    CHECK(written::errors(written::load(item.toml)) == item.errors);
  }
}

TEST_CASE("the capacity of a gateway that gets no rooms may be below the average room") {
  CHECK(written::load("[[gateways]]\nname = \"a\"\ntype = \"streaming\"\ncapacity = 1\n").problems.empty());
}
