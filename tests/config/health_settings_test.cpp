// [health]: sources, parts, brokers and topics.
#include "catch.h"
#include "config/mqtt_address.h"
#include "written.h"

namespace {

std::string sources(const std::string& toml, const std::string& env = {}) {
  const auto loaded = written::load(toml, env);
  if (!loaded.ok()) return "refused";
  return written::setting(loaded, "health.source").value;
}

}  // namespace

TEST_CASE("the health sources are one name or a list") {
  CHECK(sources("") == "none");
  CHECK(sources("health.source = \"http\"\n") == "http");
  CHECK(sources("health.source = [\"mqtt\", \"http\"]\n") == "http,mqtt");
  CHECK(sources("health.source = [\"http\"]\n", "HEALTH_SOURCE=none\n") == "none");
  CHECK(sources("", "HEALTH_SOURCE= HTTP , mqtt\n") == "http,mqtt");
  CHECK(sources("health.source = \"htp\"\n") == "refused");
  CHECK(sources("health.source = [\"none\", \"http\"]\n") == "refused");
  CHECK(sources("health.source = 5\n") == "refused");
}

TEST_CASE("the brake is a fraction of 1") {
  const auto brake = [](const std::string& toml, const std::string& env = {}) {
    const auto loaded = written::load(toml, env);
    return loaded.ok() ? written::setting(loaded, "health.brake").value : "refused";
  };
  CHECK(brake("") == "0.5");
  CHECK(brake("health.brake = 0.25\n") == "0.25");
  CHECK(brake("health.brake = 1\n") == "1.0");
  CHECK(brake("", "HEALTH_BRAKE=.75\n") == "0.75");
  for (const char* bad : {"-0.5", "1.5", "inf", "nan", "\"0.5\"", "true"}) {
    CAPTURE(bad);
    CHECK(brake(std::string("health.brake = ") + bad + "\n") == "refused");
  }
  CHECK(brake("", "HEALTH_BRAKE=1e-1\n") == "refused");
}

TEST_CASE("a probe result must stay valid for several intervals") {
  CHECK(written::load("health.interval = \"10s\"\n").ok());
  const auto loaded = written::load("health.interval = \"20s\"\n");
  REQUIRE(loaded.problems.size() == 1);
  CHECK(loaded.problems[0].text.find("config.toml:1: health.interval") == 0);
}

TEST_CASE("a broker is a host with mqtt:// or mqtts://") {
  for (const char* good : {"mqtt://127.0.0.1", "mqtt://127.0.0.1:1883", "mqtts://broker.example.org:8883",
                           "mqtt://[::1]:1883", "mqtt://[::1]"}) {
    CAPTURE(good);
    CHECK(config::is_broker_url(good));
  }
  for (const char* bad : {"", "mqtt", "mqtt://", "mqtt://:1883", "mqtt://h:0", "mqtt://h:99999", "mqtt://h:x",
                          "http://h", "mqtt://user@h", "mqtt://h/path", "mqtt://h h"}) {
    CAPTURE(bad);
    CHECK_FALSE(config::is_broker_url(bad));
  }
}

TEST_CASE("a status topic has one place for the gateway's name") {
  for (const char* good : {"janus/+/status", "+", "+/status", "a/b/+"}) {
    CAPTURE(good);
    CHECK(config::is_status_topic(good));
  }
  for (const char* bad : {"", "janus/status", "+/+", "janus/#", "janus/a+/status", "janus/+/#"}) {
    CAPTURE(bad);
    CHECK_FALSE(config::is_status_topic(bad));
  }
}
