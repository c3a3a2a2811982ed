#include "health/http_source.h"

#include <map>
#include <memory>

#include "catch.h"
#include "comes_true.h"
#include "gateway_socket.h"
#include "pace.h"

using namespace std::chrono_literals;
using health::HttpSource;
using health_test::GatewaySocket;

namespace {

std::string answer(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const std::string info = R"({"janus":"server_info","version":1102})";

// The probe results of each gateway.
class Words {
 public:
  HttpSource::Observed ear() {
    return [this](const std::string& gateway, bool good) {
      const std::lock_guard lock(mutex_);
      ++(good ? words_[gateway].good : words_[gateway].bad);
    };
  }
  int good(const std::string& gateway) {
    const std::lock_guard lock(mutex_);
    return words_[gateway].good;
  }
  int bad(const std::string& gateway) {
    const std::lock_guard lock(mutex_);
    return words_[gateway].bad;
  }

 private:
  struct Count {
    int good = 0;
    int bad = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Count> words_;
};

}  // namespace

TEST_CASE("a gateway is healthy only if it answers in time, with 200 and as Janus does") {
  GatewaySocket well(answer(info)), mute, refusing(answer(info, "403 Forbidden"));
  GatewaySocket other(answer("<html>It works!</html>")), huge(answer(std::string(5'000'000, ' ') + info));
  GatewaySocket cut_off("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + info), nonsense("SSH-2.0-x\r\n");
  GatewaySocket elsewhere("HTTP/1.1 302 Found\r\nLocation: " + well.url() + "\r\nContent-Length: 0\r\n\r\n");

  const std::string closed = GatewaySocket().url();
  Words words;
  HttpSource source(20ms, 2s, words.ear());
  source.ask({{"well", well.url()},
              {"mute", mute.url()},
              {"refusing", refusing.url()},
              {"other", other.url()},
              {"huge", huge.url()},
              {"cut off", cut_off.url()},
              {"nonsense", nonsense.url()},
              {"elsewhere", elsewhere.url()},
              {"closed", closed},
              {"no address", "http://[::"}});
  CHECK(comes_true([&] { return words.good("well") >= 2; }));
  for (const char* ill :
       {"mute", "refusing", "other", "huge", "cut off", "nonsense", "elsewhere", "closed", "no address"}) {
    CAPTURE(ill);
    CHECK(comes_true([&] { return words.bad(ill) >= 1; }));
    CHECK(words.good(ill) == 0);
  }
  CHECK(words.bad("well") == 0);
}

TEST_CASE("many gateways are asked at once, and hanging ones delay no other") {
  std::vector<std::unique_ptr<GatewaySocket>> gateways;
  std::vector<health::Target> targets;
  for (int i = 0; i < 60; ++i) {
    gateways.push_back(i % 2 ? std::make_unique<GatewaySocket>() : std::make_unique<GatewaySocket>(answer(info)));
    targets.push_back({std::to_string(i), gateways.back()->url()});
  }
  Words words;
  HttpSource source(20ms, 60s, words.ear());
  source.ask(targets);
  for (int i = 0; i < 60; i += 2) {
    CAPTURE(i);
    CHECK(comes_true([&] { return words.good(std::to_string(i)) == 1; }));
  }
  CHECK(words.bad("1") == 0);
}

TEST_CASE("a mute name server delays no probe of other gateways") {
  GatewaySocket well(answer(info));
  Words words;
  CHECK(tests::takes_less_than(7s, [&] {  // a look-up takes 8 s
    HttpSource source(20ms, 100ms, words.ear());
    source.ask({{"well", well.url()}, {"unknown", "http://silent.test/janus/info"}});
    CHECK(comes_true([&] { return words.good("well") >= 3 && words.bad("unknown") >= 2; }));
  }));
}

TEST_CASE("the list of gateways can change, and a hanging one does not delay the stop") {
  GatewaySocket first(answer(info)), second(answer(info)), mute;
  Words words;
  CHECK(tests::takes_less_than(30s, [&] {
    HttpSource source(20ms, 60s, words.ear());
    source.ask({{"first", first.url()}});
    CHECK(comes_true([&] { return words.good("first") >= 1; }));
    source.ask({{"second", second.url()}, {"mute", mute.url()}});
    CHECK(comes_true([&] { return words.good("second") >= 1; }));
  }));
  CHECK(words.bad("mute") == 0);
}
