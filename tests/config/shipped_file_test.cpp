// The shipped config.toml: its values are the defaults.
#include <algorithm>
#include <sstream>

#include "catch.h"
#include "config/settings.h"
#include "written.h"

namespace {

std::string shipped_text() {
  std::ostringstream text;
  text << std::ifstream(SHIPPED_CONFIG_FILE, std::ios::binary).rdbuf();
  return text.str();
}

// The same with its example lines, which begin with "#" and no blank, made active.
std::string with_examples(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    const bool is_example = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    result += (is_example ? line.substr(1) : line) + "\n";
  }
  return result;
}

}  // namespace

TEST_CASE("the shipped file is valid, and each value in it is the default") {
  const config::Loaded shipped = written::load(shipped_text());
  const config::Loaded none = written::load({});
  CHECK(shipped.problems.empty());
  for (const config::Setting& setting : shipped.settings) {
    CAPTURE(setting.key);
    CHECK(setting.value == written::setting(none, setting.key).value);
    // A setting without a default can only appear there as an example.
    CHECK((setting.origin == "default") == setting.value.empty());
  }
}

TEST_CASE("the shipped file lists every setting with its variable, and its examples are valid") {
  const std::string text = shipped_text();
  const config::Loaded loaded = written::load(with_examples(text), {}, {{"HEALTH_SOURCE", "http"}});
  CHECK(loaded.problems.empty());
  for (const config::Setting& setting : loaded.settings) {
    CAPTURE(setting.key);
    CHECK((setting.origin.find("config.toml:") == 0 || setting.key == "health.source"));
    const bool named = text.find("[" + setting.variable + "]") != std::string::npos ||
                       text.find("[" + setting.variable + "=") != std::string::npos;
    CHECK(named);
  }
}

TEST_CASE("the shipped file has twelve gateways, and rooms with default gateways among them") {
  const config::Configuration shipped = written::load(shipped_text()).configuration;
  REQUIRE(shipped.gateways.size() == 12);
  CHECK(shipped.gateways.front().name == "gxy1");
  CHECK(shipped.gateways.back().name == "gxy12");
  REQUIRE(shipped.rooms.size() == 3);
  CHECK(shipped.rooms[0].gateway_uid == "2171");
  for (const domain::ConfiguredRoom& room : shipped.rooms) {
    const auto is_it = [&](const domain::ConfiguredGateway& gateway) { return gateway.name == room.default_gateway; };
    CHECK(std::count_if(shipped.gateways.begin(), shipped.gateways.end(), is_it) == 1);
  }
}
