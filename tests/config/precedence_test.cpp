#include "catch.h"
#include "config/settings.h"
#include "written.h"

namespace {

// For each setting three values that differ from each other and from the default, as config.toml
// and as a variable would have them (the third column is what `config` shows).
struct Values {
  const char* key;
  struct {
    const char* toml;
    const char* variable;
  } each[3];
  written::Environment with = {};  // the settings that it needs
};

const Values values[] = {
    {"scale", {{"true", "true"}, {"true", "true"}, {"true", "true"}}},
    {"unknown_rooms", {{"\"accept\"", "accept"}, {"\"accept\"", "accept"}, {"\"accept\"", "accept"}}},
    {"http.listen", {{"\"127.0.0.1:1\"", "127.0.0.1:1"}, {"\"[::1]:2\"", "[::1]:2"}, {"\"unix:/s\"", "unix:/s"}}},
    {"http.token_file", {{"\"/a\"", "/a"}, {"\"/b\"", "/b"}, {"\"/c\"", "/c"}}},
    {"http.max_connections", {{"1", "1"}, {"2", "2"}, {"3", "3"}}},
    {"database.path", {{"\"/a\"", "/a"}, {"\"/b\"", "/b"}, {"\"/c\"", "/c"}}},
    {"balancing.available_servers", {{"[\"a\"]", "a"}, {"[\"b\", \"c\"]", "b,c"}, {"[\"d\"]", "d"}}},
    {"balancing.max_server_capacity", {{"100", "100"}, {"200", "200"}, {"300", "300"}}},
    {"balancing.avg_room_occupancy", {{"1", "1"}, {"2", "2"}, {"3", "3"}}},
    {"balancing.when_full", {{"\"reject\"", "reject"}, {"\"reject\"", "reject"}, {"\"reject\"", "reject"}}},
    {"balancing.load", {{"\"sessions\"", "sessions"}, {"\"sessions\"", "sessions"}, {"\"sessions\"", "sessions"}}},
    {"regions", {{"{ IL = [\"a\"] }", "IL:a"}, {"{ US = [\"b\"] }", "US:b"}, {"{ RU = [\"c\"] }", "RU:c"}}},
    {"pins", {{"{ 1 = \"a\" }", "1:a"}, {"{ 2 = \"b\" }", "2:b"}, {"{ 3 = \"c\" }", "3:c"}}},
    {"sessions.dead_after", {{"\"1s\"", "1s"}, {"\"2s\"", "2s"}, {"\"3s\"", "3s"}}},
    {"sessions.clean_every", {{"\"1s\"", "1s"}, {"\"2s\"", "2s"}, {"\"3s\"", "3s"}}},
    {"sessions.join_grace", {{"\"1s\"", "1s"}, {"\"2s\"", "2s"}, {"\"3s\"", "3s"}}},
    {"sessions.max", {{"1", "1"}, {"2", "2"}, {"3", "3"}}},
    {"failover.standby_servers", {{"[\"a\"]", "a"}, {"[\"b\"]", "b"}, {"[\"c\"]", "c"}}, {{"HEALTH_SOURCE", "http"}}},
    {"failover.wait", {{"\"1s\"", "1s"}, {"\"2s\"", "2s"}, {"\"3s\"", "3s"}}},
    {"failover.move_pinned", {{"true", "true"}, {"true", "true"}, {"true", "true"}}},
    {"health.source", {{"\"http\"", "http"}, {"[\"mqtt\"]", "mqtt"}, {"[\"http\", \"mqtt\"]", "http,mqtt"}}},
    {"health.interval", {{"\"1s\"", "1s"}, {"\"3s\"", "3s"}, {"\"4s\"", "4s"}}},
    {"health.timeout", {{"\"2s\"", "2s"}, {"\"3s\"", "3s"}, {"\"4s\"", "4s"}}},
    {"health.fall", {{"1", "1"}, {"2", "2"}, {"4", "4"}}},
    {"health.rise", {{"1", "1"}, {"3", "3"}, {"4", "4"}}},
    {"health.stale_after", {{"\"31s\"", "31s"}, {"\"32s\"", "32s"}, {"\"33s\"", "33s"}}},
    {"health.brake", {{"0.1", "0.1"}, {"0.2", "0.2"}, {"0.3", "0.3"}}},
    {"health.mqtt_url",
     {{"\"mqtt://a:1\"", "mqtt://a:1"}, {"\"mqtt://b:2\"", "mqtt://b:2"}, {"\"mqtts://c:3\"", "mqtts://c:3"}}},
    {"health.mqtt_topic", {{"\"a/+\"", "a/+"}, {"\"b/+\"", "b/+"}, {"\"c/+\"", "c/+"}}},
    {"health.mqtt_user", {{"\"a\"", "a"}, {"\"b\"", "b"}, {"\"c\"", "c"}}},
    {"health.mqtt_password_file", {{"\"/a\"", "/a"}, {"\"/b\"", "/b"}, {"\"/c\"", "/c"}}},
    {"health.mqtt_ca_file", {{"\"/a\"", "/a"}, {"\"/b\"", "/b"}, {"\"/c\"", "/c"}}},
    {"occupancy.source", {{"\"janus\"", "janus"}, {"\"janus\"", "janus"}, {"\"janus\"", "janus"}}},
    {"occupancy.interval", {{"\"1s\"", "1s"}, {"\"2s\"", "2s"}, {"\"3s\"", "3s"}}},
    {"occupancy.timeout", {{"\"1s\"", "1s"}, {"\"2s\"", "2s"}, {"\"4s\"", "4s"}}},
    {"occupancy.secret_file", {{"\"/a\"", "/a"}, {"\"/b\"", "/b"}, {"\"/c\"", "/c"}}},
    {"occupancy.token_file", {{"\"/a\"", "/a"}, {"\"/b\"", "/b"}, {"\"/c\"", "/c"}}},
    {"cluster.engine",
     {{"\"etcd\"", "etcd"}, {"\"etcd\"", "etcd"}, {"\"etcd\"", "etcd"}},
     {{"CLUSTER_ENDPOINTS", "http://a:1"}}},
    {"cluster.endpoints",
     {{"[\"http://a:1\"]", "http://a:1"},
      {"[\"https://b:2\", \"https://c:2379\"]", "https://b:2,https://c:2379"},
      {"[\"http://[::1]:3\"]", "http://[::1]:3"}}},
    {"cluster.prefix", {{"\"/a/\"", "/a/"}, {"\"/b/\"", "/b/"}, {"\"/c/\"", "/c/"}}},
    {"cluster.user", {{"\"a\"", "a"}, {"\"b\"", "b"}, {"\"c\"", "c"}}, {{"CLUSTER_PASSWORD_FILE", "/p"}}},
    {"cluster.password_file", {{"\"/a\"", "/a"}, {"\"/b\"", "/b"}, {"\"/c\"", "/c"}}, {{"CLUSTER_USER", "u"}}},
    {"cluster.ca_file", {{"\"/a\"", "/a"}, {"\"/b\"", "/b"}, {"\"/c\"", "/c"}}},
    {"cluster.cert_file", {{"\"/a\"", "/a"}, {"\"/b\"", "/b"}, {"\"/c\"", "/c"}}, {{"CLUSTER_KEY_FILE", "/k"}}},
    {"cluster.key_file", {{"\"/a\"", "/a"}, {"\"/b\"", "/b"}, {"\"/c\"", "/c"}}, {{"CLUSTER_CERT_FILE", "/p"}}},
    {"cluster.max_stale", {{"\"15s\"", "15s"}, {"\"16s\"", "16s"}, {"\"17s\"", "17s"}}},
    {"cluster.timeout", {{"\"1s\"", "1s"}, {"\"2s\"", "2s"}, {"\"4s\"", "4s"}}},
    {"cluster.attempt_timeout", {{"\"500ms\"", "500ms"}, {"\"2s\"", "2s"}, {"\"3s\"", "3s"}}},
    {"log.level", {{"\"debug\"", "debug"}, {"\"warn\"", "warn"}, {"\"error\"", "error"}}},
    {"log.format", {{"\"json\"", "json"}, {"\"json\"", "json"}, {"\"json\"", "json"}}},
};

void check(const config::Loaded& loaded, const Values& item, const std::string& value, const std::string& origin) {
  CHECK(loaded.ok());
  const config::Setting setting = written::setting(loaded, item.key);
  CHECK(setting.value == value);
  CHECK(setting.origin == origin);
  for (const config::Setting& other : loaded.settings) {
    const bool goes_with_it = !item.with.empty() && item.with.front().first == other.variable;
    if (other.key != item.key && !goes_with_it) CHECK(other.origin == "default");
  }
}

}  // namespace

TEST_CASE("this test has values for every setting") {
  const auto rows = config::settings();
  REQUIRE(std::size(values) == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) CHECK(values[i].key == rows[i].key);
}

TEST_CASE("the environment overrides .env, and .env overrides config.toml, for every setting") {
  const config::Loaded none = written::load("");
  for (const Values& item : values) {
    CAPTURE(item.key);
    const std::string name = item.key;
    const std::string variable = written::setting(none, name).variable;

    const std::string toml = "\n" + name + " = " + item.each[0].toml + "\n";
    const std::string env = "\n\n" + variable + "=" + item.each[1].variable + "\n";
    written::Environment environment = item.with;
    environment.emplace_back(variable, item.each[2].variable);
    const std::string in_toml = "config.toml:2";

    check(none, item, written::setting(none, name).value, "default");
    check(written::load(toml, {}, item.with), item, item.each[0].variable, in_toml);
    check(written::load(toml, env, item.with), item, item.each[1].variable, ".env:3");
    check(written::load(toml, env, environment), item, item.each[2].variable, "environment");
    check(written::load({}, env, item.with), item, item.each[1].variable, ".env:3");
    check(written::load({}, {}, environment), item, item.each[2].variable, "environment");
    check(written::load(toml, {}, environment), item, item.each[2].variable, "environment");
    CHECK(written::load(toml, env, item.with).problems.empty());
    CHECK(written::warnings(written::load(toml, env, environment)).size() == 1);
  }
}

TEST_CASE("a stronger source may set a value back to the default") {
  const config::Loaded loaded = written::load("scale = true\n", "SCALE=false\n");
  CHECK_FALSE(loaded.configuration.domain.scale);
  CHECK(written::setting(loaded, "scale").origin == ".env:1");
  const config::Loaded over = written::load("", "SCALE=true\n", {{"SCALE", "0"}});
  CHECK_FALSE(over.configuration.domain.scale);
  CHECK(written::setting(over, "scale").origin == "environment");
}

TEST_CASE("messages about a setting begin with its source and its name there") {
  const std::string toml = "scale = true\nhttp.token_file = \"a\"\n";
  const auto file = written::load(toml);
  CHECK(config::place_of(file, "http.token_file") == "config.toml:2: http.token_file");
  const auto env = written::load(toml, "API_TOKEN_FILE=b\n");
  CHECK(config::place_of(env, "http.token_file") == ".env:1: API_TOKEN_FILE");
  const auto environment = written::load(toml, {}, {{"API_TOKEN_FILE", "c"}});
  CHECK(config::place_of(environment, "http.token_file") == "environment: API_TOKEN_FILE");
  CHECK(config::place_of(written::load({}), "http.token_file") == "default: http.token_file");
}

TEST_CASE("the defaults are the documented ones") {
  const std::pair<const char*, const char*> documented[] = {
      {"scale", "false"},
      {"unknown_rooms", "reject"},
      {"http.listen", "127.0.0.1:8082"},
      {"http.token_file", ""},
      {"http.max_connections", "512"},
      {"database.path", "/var/lib/room-sidecar/room-sidecar.db"},
      {"balancing.available_servers", ""},
      {"balancing.max_server_capacity", "400"},
      {"balancing.avg_room_occupancy", "10"},
      {"balancing.when_full", "overflow"},
      {"regions", ""},
      {"pins", ""},
      {"sessions.dead_after", "90s"},
      {"sessions.clean_every", "1m"},
      {"sessions.join_grace", "2m"},
      {"sessions.max", "200000"},
      {"failover.standby_servers", ""},
      {"failover.wait", "5s"},
      {"cluster.engine", "none"},
      {"cluster.endpoints", ""},
      {"cluster.prefix", "/room-sidecar/"},
      {"cluster.user", ""},
      {"cluster.password_file", ""},
      {"cluster.ca_file", ""},
      {"cluster.cert_file", ""},
      {"cluster.key_file", ""},
      {"cluster.max_stale", "5m"},
      {"cluster.timeout", "3s"},
      {"cluster.attempt_timeout", "1s"},
      {"log.level", "info"},
      {"log.format", "text"},
  };
  const config::Loaded loaded = written::load({});
  for (const auto& item : documented) CHECK(written::setting(loaded, item.first).value == item.second);
}

TEST_CASE("variables of other programs are left alone") {
  CHECK(written::load({}, "SCALA_HOME=maybe\nPATH=\n", {{"HOME", "\xff"}, {"Path", "x"}}).problems.empty());
}
