// Refusals of variables, from `.env` and from the process environment.
#include "catch.h"
#include "written.h"

namespace {

struct Case {
  const char* variable;
  const char* value;
  std::vector<std::string> ends;  // of the messages, after the name
};

const std::string users = " is not a whole number of users above 0 (and not above 1000000000)";
const std::string region_group = " is not COUNTRY,COUNTRY:gateway,gateway (as in IL,PS:gxy1,gxy2;US:gxy3)";
const std::string pin_group = " is not ROOM,ROOM:gateway (as in 1234,1235:gxy5;2000:gxy6)";
const std::string name = " is not a gateway name (1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit)";

const std::vector<Case> cases = {
    {"SCALE", "maybe", {"\"maybe\" is not true or false (also 1/0, yes/no, on/off)"}},
    {"SCALE", "2", {"\"2\" is not true or false (also 1/0, yes/no, on/off)"}},
    {"UNKNOWN_ROOMS", "all", {"\"all\" is not \"reject\" or \"accept\""}},
    {"MAX_CONNECTIONS", "lots", {"\"lots\" is not a whole number of connections from 1 to 65536"}},
    {"MAX_CONNECTIONS", "100000", {"\"100000\" is not a whole number of connections from 1 to 65536"}},
    {"MAX_SERVER_CAPACITY", "abc", {"\"abc\"" + users}},
    {"MAX_SERVER_CAPACITY", "0", {"\"0\"" + users}},
    {"MAX_SERVER_CAPACITY", "-1", {"\"-1\"" + users}},
    {"MAX_SERVER_CAPACITY", "+400", {"\"+400\"" + users}},
    {"MAX_SERVER_CAPACITY", "4e2", {"\"4e2\"" + users}},
    {"MAX_SERVER_CAPACITY", "400 users", {"\"400 users\"" + users}},
    {"MAX_SERVER_CAPACITY", "99999999999999999999", {"\"99999999999999999999\"" + users}},
    {"AVG_ROOM_OCCUPANCY", "1.5", {"\"1.5\"" + users}},
    {"AVG_ROOM_OCCUPANCY", "1,000", {"\"1,000\"" + users}},
    {"WHEN_FULL", "overflows", {"\"overflows\" is not \"overflow\" or \"reject\""}},
    {"DEAD_SESSION_PERIOD", "90", {"\"90\" is not a duration above 0 like \"90s\", \"1m30s\" or \"500ms\""}},
    {"CLEAN_SESSIONS_INTERVAL", "0ms", {"\"0ms\" is not a duration above 0 like \"90s\", \"1m30s\" or \"500ms\""}},
    {"JOIN_GRACE", "soon", {"\"soon\" is not a duration like \"90s\", \"1m30s\" or \"500ms\""}},
    {"SESSIONS_MAX", "0", {"\"0\" is not a whole number of sessions from 1 to 10000000"}},
    {"SESSIONS_MAX", "10000001", {"\"10000001\" is not a whole number of sessions from 1 to 10000000"}},
    {"FAILOVER_WAIT_TIME", "5 s", {"\"5 s\" is not a duration like \"90s\", \"1m30s\" or \"500ms\""}},
    {"LOG_LEVEL", "trace", {"\"trace\" is not \"debug\", \"info\", \"warn\" or \"error\""}},
    {"LOG_FORMAT", "yaml", {"\"yaml\" is not \"text\" or \"json\""}},
    {"LISTEN_ADDRESS",
     "127.0.0.1:99999",
     {"\"127.0.0.1:99999\" is not an address like \"127.0.0.1:8082\", \"[::1]:8082\" or "
      "\"unix:/path\" (numbers, no host name; a port from 0 to 65535; an absolute path of at most "
      "107 "
      "bytes)"}},
    {"AVAILABLE_JANUS_SERVERS", "gxy1,..", {"\"..\"" + name}},
    {"FAILOVER_JANUS_SERVERS", "a,b\x01,.", {"\"b\\x01\"" + name, "\".\"" + name}},
    {"SERVER_REGIONS", "IL", {"\"IL\"" + region_group}},
    {"SERVER_REGIONS", "IL:gxy1;gxy2;US:gxy3", {"\"gxy2\"" + region_group}},
    {"SERVER_REGIONS", ":gxy1", {"\":gxy1\"" + region_group}},
    {"SERVER_REGIONS", "IL:", {"region \"IL\" is empty: name at least one gateway, or remove the region"}},
    {"SERVER_REGIONS", "IL: , ;US:gxy1", {"region \"IL\" is empty: name at least one gateway, or remove the region"}},
    {"SERVER_REGIONS", "IL:gxy1;US:gxy2; il :gxy3", {"region \"IL\" is given twice: keep one"}},
    {"SERVER_REGIONS", "ISR:gxy1", {"\"ISR\" is not a country code of two letters like IL, or *"}},
    {"SERVER_ROOMS", "1234", {"\"1234\"" + pin_group}},
    {"SERVER_ROOMS", "1234=gxy5", {"\"1234=gxy5\"" + pin_group}},
    {"SERVER_ROOMS", ":gxy5", {"\":gxy5\"" + pin_group}},
    {"SERVER_ROOMS",
     " , :gxy5",
     {"\",\" is not a room id (1 to 255 bytes of UTF-8 without control characters; not . or ..)"}},
    {"SERVER_ROOMS", "1234:", {"\"\"" + name}},
    {"SERVER_ROOMS", "1234:gxy5,gxy6", {"\"gxy5,gxy6\"" + name}},
    {"SERVER_ROOMS", "1234:gxy5;1235,1234:gxy6", {"room \"1234\" is given twice: keep one"}},
    {"SERVER_ROOMS", "1234:gxy5;1234:gxy5", {"room \"1234\" is given twice: keep one"}},
    {"SERVER_ROOMS",
     "..:gxy5",
     {"\"..\" is not a room id (1 to 255 bytes of UTF-8 without control characters; not . or ..)"}},
    {"DATABASE_PATH", "a\x01", {"\"a\\x01\" is not a path without control characters"}},
    {"API_TOKEN_FILE", "a\x7f", {"\"a\\x7f\" is not a path without control characters"}},
};

std::vector<std::string> messages(const std::string& where, const Case& item) {
  std::vector<std::string> result;
  for (const std::string& end : item.ends) result.push_back(where + ": " + item.variable + ": " + end);
  return result;
}

}  // namespace

TEST_CASE("an unparsable variable is refused with its place, name, value and expectation") {
  for (const Case& item : cases) {
    CAPTURE(item.variable, item.value);
    const std::string line = std::string(item.variable) + "=\"" + item.value + "\"\n";
    CHECK(written::errors(written::load({}, "# shared\n\n" + line)) == messages(".env:3", item));
    CHECK(written::errors(written::load({}, {}, {{item.variable, item.value}})) == messages("environment", item));
  }
}

TEST_CASE("an unparsable value is refused even where a stronger source overrides it") {
  const config::Loaded loaded = written::load("scale = \"maybe\"\n", "SCALE=perhaps\n", {{"SCALE", "true"}});
  CHECK(loaded.configuration.domain.scale);
  REQUIRE(written::errors(loaded).size() == 2);
  CHECK(written::errors(loaded)[0].find("config.toml:1: scale: \"maybe\"") == 0);
  CHECK(written::errors(loaded)[1].find(".env:1: SCALE: \"perhaps\"") == 0);
}

TEST_CASE("a refused list leaves none of its items in force") {
  const std::pair<const char*, const char*> lists[] = {
      {"IL:gxy1;RU", "1:a;2"},
      {"IL:gxy1;il:gxy2", "1:a;1:b"},
      {"IL:gxy1;RU:", "1:a;..:b"},
      {"IL:gxy1;RU:..", "1:a;2:.."},
  };
  for (const auto& list : lists) {
    CAPTURE(list.first, list.second);
    const config::Loaded loaded = written::load("[regions]\nUS = [\"gxy3\"]\n", {},
                                                {{"SERVER_REGIONS", list.first}, {"SERVER_ROOMS", list.second}});
    CHECK(written::errors(loaded).size() == 2);
    REQUIRE(loaded.configuration.domain.regions.size() == 1);
    CHECK(loaded.configuration.domain.regions[0].country == "US");
    CHECK(loaded.configuration.domain.pins.empty());
  }
}
