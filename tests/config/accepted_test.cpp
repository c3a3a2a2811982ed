#include "catch.h"
#include "logging/options.h"
#include "written.h"

using Names = std::vector<std::string>;
using namespace std::chrono_literals;

TEST_CASE("booleans are accepted in every documented form, in any case") {
  for (const char* yes : {"true", "TRUE", "True", "1", "yes", "YES", "on", "On", " true "}) {
    CAPTURE(yes);
    CHECK(written::load("scale = false", {}, {{"SCALE", yes}}).configuration.domain.scale);
  }
  for (const char* no : {"false", "FALSE", "0", "no", "No", "off", "OFF"}) {
    CAPTURE(no);
    const config::Loaded loaded = written::load("scale = true", {}, {{"SCALE", no}});
    CHECK(loaded.ok());
    CHECK_FALSE(loaded.configuration.domain.scale);
  }
  for (const char* toml : {"scale = true", "scale = \"yes\"", "scale = 1", "scale = \"ON\""}) {
    CAPTURE(toml);
    CHECK(written::load(toml).configuration.domain.scale);
  }
}

TEST_CASE("lists are trimmed, and lose duplicates and empty items") {
  const Names expected{"gxy2", "gxy1", "b-c"};
  const config::Loaded env = written::load({}, {}, {{"AVAILABLE_JANUS_SERVERS", " gxy2 ,, gxy1,gxy2 , b-c,"}});
  CHECK(env.problems.empty());
  CHECK(env.configuration.domain.available_servers == expected);
  CHECK(env.configuration.domain.available_where == "environment");
  const config::Loaded toml =
      written::load("[balancing]\navailable_servers = [\" gxy2 \", \"\", \"gxy1\", \"gxy2\", \"b-c\", \" \"]\n");
  CHECK(toml.problems.empty());
  CHECK(toml.configuration.domain.available_servers == expected);
  CHECK(toml.configuration.domain.available_where == "config.toml:2");
  CHECK(written::setting(toml, "balancing.available_servers").value == "gxy2,gxy1,b-c");
}

TEST_CASE("an empty value counts as not set, wherever it stands") {
  const std::string empty_toml =
      "unknown_rooms = \"\"\n[http]\nlisten = \"\"\ntoken_file = \" \"\n[database]\npath = \"\"\n"
      "[balancing]\navailable_servers = []\n[failover]\nstandby_servers = [\" "
      "\"]\n[regions]\n[pins]\n"
      "[log]\nlevel = \"\"\n";
  const config::Loaded toml = written::load(empty_toml);
  CHECK(toml.problems.empty());
  for (const config::Setting& setting : toml.settings) CHECK(setting.origin == "default");
  CHECK_FALSE(toml.configuration.http.token_file);
  CHECK_FALSE(toml.configuration.domain.available_servers);

  std::string env;
  written::Environment environment;
  for (const config::Setting& setting : toml.settings) {
    env += setting.variable + "=\"\"\n";
    environment.emplace_back(setting.variable, "");
  }
  const config::Loaded blank = written::load("scale = true", env, environment);
  CHECK(blank.problems.empty());
  CHECK(blank.configuration.domain.scale);
  for (const char* list : {"AVAILABLE_JANUS_SERVERS", "FAILOVER_JANUS_SERVERS"}) {
    CHECK(written::load({}, {}, {{list, " , ,"}}).problems.empty());
    CHECK_FALSE(written::load({}, {}, {{list, ","}}).configuration.domain.available_servers);
  }
  for (const char* groups : {"SERVER_REGIONS", "SERVER_ROOMS"}) {
    CHECK(written::load({}, {}, {{groups, " ; ;"}}).problems.empty());
  }
}

TEST_CASE("regions keep their written order, from either source") {
  const std::vector<std::pair<std::string, Names>> expected{
      {"US", {"gxy3"}}, {"IL", {"gxy2", "gxy1"}}, {"AT", {"gxy3"}}};
  const config::Loaded toml = written::load(
      "[regions]\nus = [\"gxy3\"]\n\" Il \" = [\"gxy2\", \"gxy1\", \"gxy2\"]\n\nAT = "
      "[\n\"gxy3\"]\n");
  const config::Loaded env =
      written::load("[regions]\nRU = [\"x\"]", "SERVER_REGIONS= us : gxy3 ;; Il:gxy2,gxy1,,gxy2;AT:gxy3;");
  for (const config::Loaded* loaded : {&toml, &env}) {
    CHECK(loaded->problems.empty());
    REQUIRE(loaded->configuration.domain.regions.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(loaded->configuration.domain.regions[i].country == expected[i].first);
      CHECK(loaded->configuration.domain.regions[i].gateways == expected[i].second);
    }
    CHECK(written::setting(*loaded, "regions").value == "US:gxy3;IL:gxy2,gxy1;AT:gxy3");
  }
  CHECK(toml.configuration.domain.regions[2].where == "config.toml:5");
  CHECK(env.configuration.domain.regions[2].where == ".env:1");
}

TEST_CASE("blanks around a pinned room are trimmed, and two pins of one room are an error") {
  const config::Loaded loaded = written::load("[pins]\n\" 12 \" = \"gxy1\"\n");
  CHECK(loaded.ok());
  REQUIRE(loaded.configuration.domain.pins.size() == 1);
  CHECK(loaded.configuration.domain.pins[0].room_id == "12");
  CHECK_FALSE(written::load("[pins]\n\" 12 \" = \"gxy1\"\n12 = \"gxy1\"\n").ok());
  CHECK_FALSE(written::load("[pins]\n\" \" = \"gxy1\"\n").ok());
}

TEST_CASE("pins are taken from either source, in order") {
  const std::vector<std::pair<domain::RoomId, std::string>> expected{
      {"1234", "gxy5"}, {"1235", "gxy5"}, {"2000", "gxy6"}, {"10", "gxy5"}};
  const config::Loaded toml =
      written::load("[pins]\n\"1234\" = \"gxy5\"\n1235 = \" gxy5 \"\n2000 = \"gxy6\"\n10 = \"gxy5\"\n");
  const config::Loaded env =
      written::load("[pins]\n7 = \"x\"", {}, {{"SERVER_ROOMS", "1234, 1235,1234 :gxy5; 2000:gxy6;10: gxy5 "}});
  for (const config::Loaded* loaded : {&toml, &env}) {
    CHECK(loaded->problems.empty());
    REQUIRE(loaded->configuration.domain.pins.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(loaded->configuration.domain.pins[i].room_id == expected[i].first);
      CHECK(loaded->configuration.domain.pins[i].gateway == expected[i].second);
    }
    CHECK(written::setting(*loaded, "pins").value == "1234,1235:gxy5;2000:gxy6;10:gxy5");
  }
  CHECK(toml.configuration.domain.pins[1].where == "config.toml:3");
  CHECK(env.configuration.domain.pins[1].where == "environment");
}

TEST_CASE("a room id may hold colons, with a warning where that looks like a mistake") {
  const config::Loaded pins = written::load({}, "SERVER_ROOMS=a:b:gxy5\n");
  CHECK(pins.ok());
  REQUIRE(pins.configuration.domain.pins.size() == 1);
  CHECK(pins.configuration.domain.pins[0].room_id == "a:b");
  CHECK(written::warnings(pins) ==
        Names{".env:1: SERVER_ROOMS: room \"a:b\" holds a colon: if a new group was meant, write "
              "\";\" before it"});
  CHECK(written::load("[pins]\n\"a:b\" = \"gxy5\"\n").problems.empty());
}

TEST_CASE("keywords are accepted in any case, and warning means warn") {
  CHECK(written::load({}, {}, {{"LOG_LEVEL", "WARNING"}}).configuration.log.level == logging::Level::warn);
  CHECK(written::load("[log]\nlevel = \"Debug\"").configuration.log.level == logging::Level::debug);
  CHECK(written::load({}, {}, {{"WHEN_FULL", "Reject"}}).configuration.domain.when_full == domain::WhenFull::reject);
}

TEST_CASE("the smallest and the largest allowed values are accepted") {
  const config::Loaded loaded = written::load(
      "[balancing]\nmax_server_capacity = 1000000000\navg_room_occupancy = 1_000_000_000\n"
      "[http]\nmax_connections = 65536\n[sessions]\ndead_after = \"87600h\"\nclean_every = "
      "\"1ms\"\n"
      "join_grace = \"0s\"\n[failover]\nwait = \"0s\"\n");
  CHECK(loaded.problems.empty());
  CHECK(loaded.configuration.domain.avg_room_occupancy == 1'000'000'000);
  CHECK(loaded.configuration.domain.join_grace == 0ms);
  CHECK(written::load({}, {}, {{"MAX_CONNECTIONS", " 1 "}}).configuration.http.max_connections == 1);
}
