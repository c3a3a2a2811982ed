#include "health/mqtt_source.h"

#include <atomic>

#include "catch.h"
#include "comes_true.h"
#include "gateway_socket.h"
#include "pace.h"

using namespace std::chrono_literals;
using health::MqttSource;
using health_test::GatewaySocket;

// Servers that are no broker; tests/e2e/health_test.py has the messages of a real one.
namespace {

void ignore_word(const std::string&, bool) {}
void ignore_nonsense(const std::string&) {}

std::string problem_with(const std::string& url) {
  health::Options options;
  options.mqtt_url = url;
  MqttSource source(options, 20ms, ignore_word, ignore_nonsense);
  std::string found;
  CHECK(comes_true([&] {
    found = source.problem().value_or("none");
    return found.find("not yet") == found.npos;
  }));
  return found;
}

}  // namespace

TEST_CASE("a server that is no broker, or refuses the sidecar, is a problem with a cause") {
  std::string closed = "mqtt://" + GatewaySocket().address();
  CHECK(problem_with(closed) == "MQTT broker " + closed + ": Connection refused");
  GatewaySocket web("HTTP/1.1 400 Bad Request\r\n\r\n");
  CHECK(problem_with("mqtt://" + web.address()) != "none");
  CHECK(problem_with("mqtts://" + web.address()) != "none");
  GatewaySocket strict(std::string("\x20\x02\0\x05", 4));
  CHECK(problem_with("mqtt://" + strict.address()).find("not authorised") != std::string::npos);
}

TEST_CASE("neither a mute broker nor a mute name server delays the start or the stop") {
  GatewaySocket mute;
  CHECK(tests::takes_less_than(7s, [&] {  // a look-up takes 8 s
    for (const std::string& host : {mute.address(), std::string("silent.test")}) {
      health::Options options;
      options.mqtt_url = "mqtt://" + host;
      MqttSource source(options, 20ms, ignore_word, ignore_nonsense);
      std::this_thread::sleep_for(300ms);  // so that it is in the midst of it
      CHECK(source.problem() == "MQTT broker " + options.mqtt_url + ": not yet connected");
    }
  }));
}
