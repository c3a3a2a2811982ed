#include "catch.h"
#include "written.h"

TEST_CASE("an average room above the capacity of a gateway is refused with its line") {
  struct {
    const char* toml;
    written::Environment environment;
    const char* begin;
  } cases[] = {
      {"[balancing]\navg_room_occupancy = 401\n",
       {},
       "config.toml:2: balancing.avg_room_occupancy: the average room (avg_room_occupancy = 401) "
       "is "
       "above the capacity of a gateway (max_server_capacity = 400)"},
      {"[balancing]\nmax_server_capacity = 9\n",
       {},
       "config.toml:2: balancing.max_server_capacity: the average room (avg_room_occupancy = 10)"},
      {"[balancing]\nmax_server_capacity = 30\n",
       {{"AVG_ROOM_OCCUPANCY", "31"}},
       "environment: AVG_ROOM_OCCUPANCY: the average room (avg_room_occupancy = 31)"},
      {"[balancing]\navg_room_occupancy = 31\n",
       {{"MAX_SERVER_CAPACITY", "30"}},
       "config.toml:2: balancing.avg_room_occupancy: the average room (avg_room_occupancy = 31)"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.toml);
    const config::Loaded loaded = written::load(item.toml, {}, item.environment);
    REQUIRE(loaded.problems.size() == 1);
    CHECK_FALSE(loaded.ok());
    CHECK(loaded.problems[0].text.find(item.begin) == 0);
  }
  CHECK(written::load("[balancing]\navg_room_occupancy = 400\n").ok());
  CHECK(written::load("[balancing]\navg_room_occupancy = 401\n", "MAX_SERVER_CAPACITY=401\n").ok());
}

TEST_CASE("a gateway's own capacity is compared with the average room of any source") {
  const char* toml = "[[gateways]]\nname = \"a\"\ncapacity = 20\n";
  CHECK(written::load(toml).ok());
  const config::Loaded loaded = written::load(toml, "AVG_ROOM_OCCUPANCY=21\n");
  REQUIRE(written::errors(loaded).size() == 1);
  CHECK(written::errors(loaded)[0].find("config.toml:3: gateways.capacity: the average room") == 0);
}

TEST_CASE("an address that other machines can reach is refused without a token") {
  const std::string text =
      "\"0.0.0.0:8082\" can be reached from other machines: set http.token_file (API_TOKEN_FILE), "
      "or "
      "listen on 127.0.0.1, [::1] or a Unix socket";
  CHECK(written::errors(written::load("[http]\nlisten = \"0.0.0.0:8082\"\n")) ==
        std::vector<std::string>{"config.toml:2: http.listen: " + text});
  CHECK(written::errors(written::load({}, "LISTEN_ADDRESS=0.0.0.0:8082\n")) ==
        std::vector<std::string>{".env:1: LISTEN_ADDRESS: " + text});
  CHECK_FALSE(written::load("[http]\nlisten = \"[::]:0\"\ntoken_file = \"\"\n").ok());
  CHECK(written::load("[http]\nlisten = \"0.0.0.0:8082\"\ntoken_file = \"/t\"\n").problems.empty());
  CHECK(written::load({}, {}, {{"LISTEN_ADDRESS", "[::]:1"}, {"API_TOKEN_FILE", "/t"}}).problems.empty());
}

TEST_CASE("a secret sent unencrypted to another machine causes a warning") {
  const auto sent_to = [](const std::string& url, const std::string& use) {
    return ": the secret is sent to \"" + url + "\" without encryption, readable for everybody on the way; use " + use;
  };
  const std::string cluster = "[cluster]\nuser = \"u\"\npassword_file = \"/p\"\nendpoints = ";
  const std::string mqtt = "[health]\nsource = \"mqtt\"\nmqtt_user = \"u\"\nmqtt_password_file = \"/p\"\nmqtt_url = ";
  const std::string janus =
      "[occupancy]\nsource = \"janus\"\nsecret_file = \"/p\"\n[[gateways]]\nname = \"a\"\nadmin_url = ";
  struct Case {
    std::string toml;
    std::vector<std::string> warnings;
  };
  for (const Case& each : {
           Case{cluster + "[\"http://127.0.0.1\", \"http://10.0.0.1\"]",
                {"config.toml:3: cluster.password_file" +
                 sent_to("http://10.0.0.1:2379", "https:// in cluster.endpoints")}},
           Case{cluster + "[\"http://127.0.0.1\", \"http://localhost\", \"http://[::1]:1\"]", {}},
           Case{cluster + "[\"https://10.0.0.1\"]", {}},
           Case{"[cluster]\nendpoints = [\"http://10.0.0.1\"]", {}},
           Case{mqtt + "\"mqtt://broker\"",
                {"config.toml:4: health.mqtt_password_file" + sent_to("mqtt://broker", "mqtts:// in health.mqtt_url")}},
           Case{mqtt + "\"mqtts://broker\"", {}},
           Case{mqtt + "\"mqtt://127.0.0.1:1883\"", {}},
           Case{janus + "\"http://10.0.0.1:7088/admin\"",
                {"config.toml:3: occupancy.secret_file" + sent_to("http://10.0.0.1:7088/admin", "https:// there")}},
           Case{janus + "\"https://10.0.0.1:7889/admin\"", {}},
       }) {
    CAPTURE(each.toml);
    const auto loaded = written::load(each.toml + "\n");
    CHECK(loaded.ok());
    CHECK(written::warnings(loaded) == each.warnings);
  }
}

TEST_CASE("a refused setting causes no further message") {
  CHECK(written::load("[balancing]\navg_room_occupancy = 500\nmax_server_capacity = \"x\"\n").problems.size() == 1);
  CHECK(written::load("[http]\nlisten = \"0.0.0.0:80\"\ntoken_file = 5\n").problems.size() == 1);
}
