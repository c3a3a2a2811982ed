// Refusals of config.toml, with the whole message to the operator.
#include <algorithm>

#include "catch.h"
#include "written.h"

namespace {

struct Case {
  const char* toml;
  std::vector<std::string> errors;
};

void check(const std::vector<Case>& cases) {
  for (const Case& item : cases) {
    CAPTURE(item.toml);
    const config::Loaded loaded = written::load(item.toml);
    CHECK_FALSE(loaded.ok());
    CHECK(written::errors(loaded) == item.errors);
  }
}

const std::string boolean = " is not true or false (also 1/0, yes/no, on/off)";
const std::string users = " is not a whole number of users above 0 (and not above 1000000000)";
const std::string connections = " is not a whole number of connections from 1 to 65536";
const std::string duration = " is not a duration above 0 like \"90s\", \"1m30s\" or \"500ms\"";
const std::string duration_or_0 = " is not a duration like \"90s\", \"1m30s\" or \"500ms\"";
const std::string level = " is not \"debug\", \"info\", \"warn\" or \"error\"";
const std::string path = " is not a path without control characters";
const std::string names = " is not a list of gateway names like [\"gxy1\", \"gxy2\"]";
const std::string name = " is not a gateway name (1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit)";
const std::string country = " is not a country code of two letters like IL, or *";
const std::string room = " is not a room id (1 to 255 bytes of UTF-8 without control characters; not . or ..)";
const std::string address =
    " is not an address like \"127.0.0.1:8082\", \"[::1]:8082\" or \"unix:/path\" (numbers, no "
    "host "
    "name; a port from 0 to 65535; an absolute path of at most 107 bytes)";

}  // namespace

TEST_CASE("an unparsable value in config.toml is refused with line, key, value and expectation") {
  check({
      {"scale = \"maybe\"", {"config.toml:1: scale: \"maybe\"" + boolean}},
      {"scale = 2", {"config.toml:1: scale: 2" + boolean}},
      {"scale = 1.0", {"config.toml:1: scale: 1.0" + boolean}},
      {"\n\nscale = [true]", {"config.toml:3: scale: a list" + boolean}},
      {"[scale]\nx = 1", {"config.toml:1: scale: a table" + boolean}},
      {"unknown_rooms = \"acept\"", {"config.toml:1: unknown_rooms: \"acept\" is not \"reject\" or \"accept\""}},
      {"unknown_rooms = true", {"config.toml:1: unknown_rooms: true is not \"reject\" or \"accept\""}},
      {"[http]\nlisten = \"8082\"", {"config.toml:2: http.listen: \"8082\"" + address}},
      {"[http]\nlisten = 8082", {"config.toml:2: http.listen: 8082" + address}},
      {"[http]\nlisten = \"localhost:8082\"", {"config.toml:2: http.listen: \"localhost:8082\"" + address}},
      {"[http]\nlisten = \"unix:run\"", {"config.toml:2: http.listen: \"unix:run\"" + address}},
      {"http.token_file = 5", {"config.toml:1: http.token_file: 5" + path}},
      {"http.token_file = \"a\\nb\"", {"config.toml:1: http.token_file: \"a\\nb\"" + path}},
      {"http.max_connections = 0", {"config.toml:1: http.max_connections: 0" + connections}},
      {"http.max_connections = 65537", {"config.toml:1: http.max_connections: 65537" + connections}},
      {"http.max_connections = \"512\"",
       {"config.toml:1: http.max_connections: \"512\"" + connections + ": write it without the quotes"}},
      {"[database]\npath = false", {"config.toml:2: database.path: false" + path}},
      {"[database]\npath = \"a\\u0000b\"", {"config.toml:2: database.path: \"a\\x00b\"" + path}},
      {"[balancing]\n\nmax_server_capacity = \"abc\"",
       {"config.toml:3: balancing.max_server_capacity: \"abc\"" + users}},
      {"[balancing]\nmax_server_capacity = 0", {"config.toml:2: balancing.max_server_capacity: 0" + users}},
      {"[balancing]\nmax_server_capacity = -5", {"config.toml:2: balancing.max_server_capacity: -5" + users}},
      {"[balancing]\nmax_server_capacity = 400.0", {"config.toml:2: balancing.max_server_capacity: 400.0" + users}},
      {"[balancing]\nmax_server_capacity = 1000000001",
       {"config.toml:2: balancing.max_server_capacity: 1000000001" + users}},
      {"[balancing]\nmax_server_capacity = \"400\"",
       {"config.toml:2: balancing.max_server_capacity: \"400\"" + users + ": write it without the quotes"}},
      {"[balancing]\nmax_server_capacity = 1979-05-27",
       {"config.toml:2: balancing.max_server_capacity: 1979-05-27" + users}},
      {"[balancing]\navg_room_occupancy = 0", {"config.toml:2: balancing.avg_room_occupancy: 0" + users}},
      {"[balancing]\navg_room_occupancy = true", {"config.toml:2: balancing.avg_room_occupancy: true" + users}},
      {"[balancing]\nwhen_full = \"drop\"",
       {"config.toml:2: balancing.when_full: \"drop\" is not \"overflow\" or \"reject\""}},
      {"[balancing]\navailable_servers = \"gxy1,gxy2\"",
       {"config.toml:2: balancing.available_servers: \"gxy1,gxy2\"" + names}},
      {"[balancing]\navailable_servers = [\n\"gxy1\",\n5, \"a\\tb\"]",
       {"config.toml:4: balancing.available_servers: 5" + name,
        "config.toml:4: balancing.available_servers: \"a\\tb\"" + name}},
      {"[balancing]\navailable_servers = {}", {"config.toml:2: balancing.available_servers: a table" + names}},
      {"[failover]\nstandby_servers = [[\"gxy1\"]]", {"config.toml:2: failover.standby_servers: a list" + name}},
      {"[failover]\nwait = 5", {"config.toml:2: failover.wait: 5" + duration_or_0}},
      {"[sessions]\ndead_after = 90", {"config.toml:2: sessions.dead_after: 90" + duration}},
      {"[sessions]\ndead_after = \"90\"", {"config.toml:2: sessions.dead_after: \"90\"" + duration}},
      {"[sessions]\ndead_after = \"0s\"", {"config.toml:2: sessions.dead_after: \"0s\"" + duration}},
      {"[sessions]\nclean_every = \"-1m\"", {"config.toml:2: sessions.clean_every: \"-1m\"" + duration}},
      {"[sessions]\njoin_grace = \"2 min\"", {"config.toml:2: sessions.join_grace: \"2 min\"" + duration_or_0}},
      {"[log]\nlevel = \"loud\"", {"config.toml:2: log.level: \"loud\"" + level}},
      {"[log]\nformat = \"xml\"", {"config.toml:2: log.format: \"xml\" is not \"text\" or \"json\""}},
  });
}

TEST_CASE("an empty, duplicate or misnamed region or pin of config.toml is refused") {
  check({
      {"regions = 5", {"config.toml:1: regions: 5 is not a table of countries like IL = [\"gxy1\", \"gxy2\"]"}},
      {"[regions]\nIL = []",
       {"config.toml:2: regions: region \"IL\" is empty: name at least one gateway, or remove the region"}},
      {"[regions]\nil = [\" \"]",
       {"config.toml:2: regions: region \"IL\" is empty: name at least one gateway, or remove the region"}},
      {"[regions]\nIL = \"gxy1\"", {"config.toml:2: regions.IL: \"gxy1\"" + names}},
      {"[regions]\nIL = [1]", {"config.toml:2: regions.IL: 1" + name}},
      {"[regions]\nIL = [\"gxy1\"]\nUS = [\"gxy2\"]\n\" il\" = [\"gxy3\"]",
       {"config.toml:4: regions: region \"IL\" is given twice (first at config.toml:2): keep one"}},
      {"[regions]\n\"\" = [\"gxy1\"]", {"config.toml:2: regions: \"\"" + country}},
      {"[regions]\nABCDEFGHIJKLMNOPQ = [\"gxy1\"]", {"config.toml:2: regions: \"ABCDEFGHIJKLMNOPQ\"" + country}},
      {"pins = [\"1234\"]", {"config.toml:1: pins: a list is not a table of rooms like \"1234\" = \"gxy5\""}},
      {"[pins]\n1234 = 5", {"config.toml:2: pins.1234: 5" + name}},
      {"[pins]\n1234 = [\"gxy5\"]", {"config.toml:2: pins.1234: a list" + name}},
      {"[pins]\n1234 = \"\"", {"config.toml:2: pins.1234: \"\"" + name}},
      {"[pins]\n12.34 = \"gxy5\"", {"config.toml:2: pins.12: a table" + name}},
      {"[pins]\n\"..\" = \"gxy5\"", {"config.toml:2: pins: \"..\"" + room}},
      {"[pins]\n\"a\\u0001\" = \"gxy5\"", {"config.toml:2: pins: \"a\\x01\"" + room}},
  });
}

TEST_CASE("an unknown key is refused at every level, with the nearest known key") {
  const auto unknown = [](const char* key, const char* meant) {
    return "unknown key \"" + std::string(key) + "\" (did you mean \"" + meant + "\"?)";
  };
  check({
      {"scle = true", {"config.toml:1: " + unknown("scle", "scale")}},
      {"[balancing]\nmax_capacity = 5\nmax_server_capcity = 5",
       {"config.toml:2: " + unknown("balancing.max_capacity", "balancing.max_server_capacity"),
        "config.toml:3: " + unknown("balancing.max_server_capcity", "balancing.max_server_capacity")}},
      {"[http]\nlisten = \"127.0.0.1:0\"\nscale = true", {"config.toml:3: " + unknown("http.scale", "scale")}},
      {"[database]\nlisten = \"x\"", {"config.toml:2: " + unknown("database.listen", "http.listen")}},
      {"max_connections = 5", {"config.toml:1: " + unknown("max_connections", "http.max_connections")}},
      {"[balancng]\nwhen_full = \"reject\"", {"config.toml:1: " + unknown("balancng", "balancing")}},
      {"[[gateway]]\nname = \"gxy1\"", {"config.toml:1: " + unknown("gateway", "gateways")}},
      {"[region]\nIL = [\"gxy1\"]", {"config.toml:1: " + unknown("region", "regions")}},
      {"[[gateways]]\nname = \"gxy1\"\nurll = \"x\"", {"config.toml:3: " + unknown("gateways.urll", "url")}},
      {"[[rooms]]\ngateway_uid = 1\ndefault_gatway = \"x\"",
       {"config.toml:3: " + unknown("rooms.default_gatway", "default_gateway")}},
      {"zzzzzzzz = 1", {"config.toml:1: unknown key \"zzzzzzzz\": take it out"}},
      {"[log]\n\"a\\nb\" = 1", {"config.toml:2: unknown key \"log.a\\nb\": take it out"}},
  });
}

TEST_CASE("a section must be a table") {
  check({
      {"http = 5", {"config.toml:1: http: 5 is not a section like [http]"}},
      {"balancing = \"x\"", {"config.toml:1: balancing: \"x\" is not a section like [balancing]"}},
      {"[[log]]\nlevel = \"info\"", {"config.toml:1: log: a list is not a section like [log]"}},
  });
}

TEST_CASE("malformed TOML is refused with its line") {
  const std::pair<const char*, const char*> cases[] = {
      {"scale =", "config.toml:1: this is no valid TOML: "},
      {"scale = true\nscale = false", "config.toml:2: this is no valid TOML: "},
      {"\n\nscale = yes", "config.toml:3: this is no valid TOML: "},
      {"[http\nlisten = 1", "config.toml:1: this is no valid TOML: "},
      {"[pins]\n1234 = \"a\"\n\"1234\" = \"b\"", "config.toml:3: this is no valid TOML: "},
      {"a = \"\xff\"", "config.toml:1: this is no valid TOML: "},
      {"scale: true", "config.toml:1: this is no valid TOML: "},
  };
  for (const auto& item : cases) {
    CAPTURE(item.first);
    const config::Loaded loaded = written::load(item.first);
    REQUIRE(loaded.problems.size() == 1);
    CHECK_FALSE(loaded.ok());
    CHECK(loaded.problems[0].text.find(item.second) == 0);
  }
  CHECK_FALSE(written::load(std::string("scale\0 = true", 13)).ok());
}

TEST_CASE("all problems are reported at once, in the order of the lines, and parsed values are kept") {
  const config::Loaded loaded = written::load(
      "scle = true\nscale = 7\n[log]\nlevel = \"loud\"\n[balancing]\nmax_server_capacity = 0\n"
      "[database]\npath = \"/tmp/x.db\"\n[[gateways]]\ncapacity = 1.5\n",
      "LOG_FORMAT=xml\n", {{"SCALE", "perhaps"}});
  const std::vector<std::string> begins = {"config.toml:1: unknown key \"scle\"",
                                           "config.toml:2: scale: 7",
                                           "config.toml:4: log.level: \"loud\"",
                                           "config.toml:6: balancing.max_server_capacity: 0",
                                           "config.toml:9: gateways.name: is missing",
                                           "config.toml:10: gateways.capacity: 1.5",
                                           ".env:1: LOG_FORMAT: \"xml\"",
                                           "environment: SCALE: \"perhaps\""};
  REQUIRE(loaded.problems.size() == begins.size());
  for (std::size_t i = 0; i < begins.size(); ++i) CHECK(loaded.problems[i].text.find(begins[i]) == 0);
  CHECK(loaded.configuration.store.path == "/tmp/x.db");
}

TEST_CASE("a long or unreadable value is cut and escaped in messages") {
  const auto message = [](const std::string& toml) { return written::load(toml).problems.at(0).text; };
  const std::string text = message("scale = \"" + std::string(5000, 'x') + "\"");
  CHECK(text.size() < 400);
  CHECK(text.find("xx…\" is not true") != std::string::npos);
  std::string accents = "x";  // so that the cut falls into a character
  for (int i = 0; i < 5000; ++i) accents += "é";
  CHECK(message("scale = \"" + accents + "\"").find("éé…\" is not true") != std::string::npos);
  const std::string env = written::load({}, "SCALE=\"a\xff\"\n").problems.at(0).text;
  CHECK(env.find("SCALE: \"a\\xff\" is not true") != std::string::npos);
}

TEST_CASE("no problem holds a control character, whatever the files hold") {
  for (const char* toml : {"[pins]\n\"a\\n\" = 5\n", "[regions]\n\"a\\u0007b\" = 5\n", "scale = tr\n",
                           "\"a\\nERROR: b\" = 1\n", "[http]\nlisten = \"a\\nb\"\n"}) {
    CAPTURE(toml);
    const config::Loaded loaded = written::load(toml);
    CHECK_FALSE(loaded.ok());
    for (const std::string& text : written::errors(loaded)) {
      CHECK(std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < 0x20; }));
    }
  }
}

TEST_CASE("a key of endlessly many parts is refused before the TOML library could crash on it") {
  std::string parts = "a";
  for (int i = 0; i < 200'000; ++i) parts += i % 3 == 0 ? ".\"b.\"" : i % 3 == 1 ? " . 'c'" : ".d";
  const std::string reported = ": this is no valid TOML: a key has too many parts (more than 64 dots in the line)";
  const std::string before = "# ...\nx = \"\"\"\n'\"\"\"\"\n";
  for (const std::string& line : {parts + " = 1", "[" + parts + "]", "x = { " + parts + " = 1 }"}) {
    CHECK(written::errors(written::load(line)) == std::vector{"config.toml:1" + reported});
    CHECK(written::errors(written::load(before + line)) == std::vector{"config.toml:4" + reported});
  }
}

TEST_CASE("a string cut off by the end of the file is refused like other malformed TOML") {
  for (const char* quote : {"\"", "'", "\"\"\"", "'''"}) {
    for (const char* rest : {"", "a", "ab", "abcd", "\\", "\n", "\na", "\"", "'", "\"\"", "''"}) {
      const std::string toml = std::string("a = ") + quote + rest;
      CAPTURE(toml);
      CHECK_FALSE(written::load(toml).ok());
    }
  }
}

TEST_CASE("many dots in strings, comments and later lines are not taken for a long key") {
  const std::string dots(1000, '.');
  const std::string strings = "path = \"" + dots + "\\\"" + dots + "\" # " + dots + "\n";
  CHECK(written::load("[database]\n" + strings).problems.empty());
  CHECK(written::load("[database]\npath = '" + dots + "'\n").problems.empty());
  CHECK(written::load("[database]\npath = '''" + dots + "'''\n").problems.empty());
  std::string pins;
  for (int i = 0; i < 100; ++i) pins += "pins." + std::to_string(i) + " = \"gxy1\"\n";
  CHECK(written::load(pins).problems.empty());
}
