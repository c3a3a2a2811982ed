#include "domain/gateway_health.h"

#include "catch.h"

namespace {

using namespace std::chrono_literals;
using domain::Fitness;
using domain::GatewayId;
using domain::GatewayState;
using domain::HealthSource;

// Gateways 0 … n-1 that are asked every two seconds.
struct Fleet {
  domain::HealthOptions options;
  domain::GatewayHealth health;
  std::vector<GatewayId> all;
  domain::ServiceTime now = domain::ServiceTime{} + 1h;

  explicit Fleet(int gateways) {
    options.http = true;
    for (int i = 0; i < gateways; ++i) all.push_back(GatewayId(i));
    health.watch(options, all);
  }
  // Some rounds in which those named are bad and all others good.
  void rounds(int count, const std::vector<int>& bad = {}, HealthSource source = HealthSource::http) {
    for (int i = 0; i < count; ++i) {
      now += 2s;
      for (const auto gateway : all) {
        const bool is_bad = std::find(bad.begin(), bad.end(), static_cast<int>(gateway)) != bad.end();
        health.observe(gateway, source, !is_bad, now);
      }
      health.evaluate(now);
    }
  }
  void silence(std::chrono::seconds time) {
    now += time;
    health.evaluate(now);
  }
  std::string state(int gateway) const { return std::string(to_text(health.state(GatewayId(gateway)))); }
  Fitness fitness(int gateway) { return health.fitness()[static_cast<std::size_t>(gateway)]; }
};

}  // namespace

TEST_CASE("a gateway is up after two good probe results, and down after three bad ones in a row") {
  Fleet fleet(4);
  CHECK(fleet.state(0) == "unknown");
  fleet.rounds(1);
  CHECK(fleet.state(0) == "unknown");
  fleet.rounds(1);
  CHECK(fleet.state(0) == "up");
  fleet.rounds(2, {0});
  CHECK(fleet.state(0) == "suspect");
  fleet.rounds(1);
  CHECK(fleet.state(0) == "suspect");
  fleet.rounds(1);
  CHECK(fleet.state(0) == "up");
  fleet.rounds(2, {0});
  CHECK(fleet.state(0) == "suspect");
  fleet.rounds(1, {0});
  CHECK(fleet.state(0) == "down");
  fleet.rounds(1);
  CHECK(fleet.state(0) == "down");
  fleet.rounds(1);
  CHECK(fleet.state(0) == "up");
  CHECK(fleet.state(1) == "up");
}

TEST_CASE("a suspect gateway is up only after `rise` good probe results in a row") {
  struct Case {
    const char* sentence;
    int rise;
    const char* words;  // one a round: + is good
    const char* state;
  };
  const Case cases[] = {
      {"two bad and one good, again and again", 2, "--+--+--+--+", "suspect"},
      {"every other one bad", 2, "-+-+-+-+-+", "suspect"},
      {"enough good ones", 2, "--+--++", "up"},
      {"good ones that are not in a row", 3, "--++-++-++", "suspect"},
      {"a single bad one", 3, "-++", "suspect"},
      {"a single bad one, and all good since", 3, "-+++", "up"},
      {"one is enough where that is configured", 1, "--+", "up"},
      {"one bad result too many among good ones makes it down", 2, "--+---", "down"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.sentence);
    Fleet fleet(4);
    fleet.options.rise = c.rise;
    fleet.health.watch(fleet.options, fleet.all);
    fleet.rounds(c.rise);
    REQUIRE(fleet.state(0) == "up");
    for (const char* word = c.words; *word; ++word) {
      fleet.rounds(1, *word == '-' ? std::vector<int>{0} : std::vector<int>{});
    }
    CHECK(fleet.state(0) == c.state);
    CHECK(fleet.state(1) == "up");
  }
}

TEST_CASE("a gateway with a bad first probe result is suspect until it is up") {
  Fleet fleet(4);
  fleet.rounds(1, {0});
  CHECK(fleet.state(0) == "suspect");
  fleet.rounds(1);
  CHECK(fleet.state(0) == "suspect");
  fleet.rounds(1);
  CHECK(fleet.state(0) == "up");
}

TEST_CASE("a transition is reported once") {
  Fleet fleet(4);
  fleet.rounds(2);
  fleet.rounds(2, {0});
  fleet.now += 2s;
  for (const auto gateway : fleet.all)
    fleet.health.observe(gateway, HealthSource::http, gateway != GatewayId{0}, fleet.now);
  const auto transitions = fleet.health.evaluate(fleet.now);
  REQUIRE(transitions.size() == 1);
  CHECK(transitions[0].gateway == GatewayId{0});
  CHECK(transitions[0].before == GatewayState::suspect);
  CHECK(transitions[0].now == GatewayState::down);
  CHECK(fleet.health.evaluate(fleet.now).empty());
}

TEST_CASE("a gateway is unknown once its probe results are older than stale_after, and nothing moves") {
  Fleet fleet(4);
  fleet.rounds(2);
  fleet.rounds(3, {0});
  CHECK(fleet.health.is_lost(GatewayId{0}, 0s, fleet.now));
  fleet.silence(30s);
  CHECK(fleet.state(0) == "down");
  fleet.silence(1s);
  CHECK(fleet.state(0) == "unknown");
  CHECK(fleet.state(1) == "unknown");
  CHECK_FALSE(fleet.health.is_lost(GatewayId{0}, 0s, fleet.now));
  // Results from before the silence do not count together with those after it.
  fleet.rounds(1, {0});
  CHECK(fleet.state(0) != "down");
}

TEST_CASE("a gateway is lost only once it has been down for the whole wait") {
  Fleet fleet(4);
  fleet.rounds(2);
  fleet.rounds(3, {0});
  CHECK_FALSE(fleet.health.is_lost(GatewayId{0}, 5s, fleet.now));
  CHECK_FALSE(fleet.health.is_lost(GatewayId{0}, 5s, fleet.now + 4999ms));
  CHECK(fleet.health.is_lost(GatewayId{0}, 5s, fleet.now + 5s));
  // Then the source has been silent for too long.
  CHECK_FALSE(fleet.health.is_lost(GatewayId{0}, 5s, fleet.now + 7s));
  CHECK_FALSE(fleet.health.is_lost(GatewayId{1}, 0s, fleet.now));
  CHECK_FALSE(fleet.health.is_lost(GatewayId{99}, 0s, fleet.now));
}

TEST_CASE("a gateway without any probe result is neither down nor suspect") {
  Fleet fleet(4);
  fleet.silence(300s);
  CHECK(fleet.state(0) == "unknown");
  CHECK(fleet.fitness(0) == Fitness::unknown);
}

TEST_CASE("no gateway is lost after most failed at once, until enough are up again") {
  Fleet fleet(4);
  fleet.rounds(2);
  fleet.rounds(3, {0, 1, 2});
  CHECK(fleet.state(0) == "down");
  CHECK(fleet.health.brakes());
  CHECK(fleet.health.brakings() == 1);
  CHECK(fleet.fitness(0) == Fitness::doubted);
  fleet.health.watch(fleet.options, fleet.all);
  CHECK(fleet.fitness(0) == Fitness::doubted);
  CHECK_FALSE(fleet.health.is_lost(GatewayId{0}, 0s, fleet.now));
  // However long it lasts: time alone does not show that the gateways failed.
  fleet.rounds(100, {0, 1, 2});
  CHECK(fleet.health.brakes());
  CHECK_FALSE(fleet.health.is_lost(GatewayId{0}, 0s, fleet.now));
  fleet.rounds(2, {0, 1});
  CHECK_FALSE(fleet.health.brakes());
  CHECK(fleet.fitness(0) == Fitness::down);
  CHECK(fleet.health.is_lost(GatewayId{0}, 0s, fleet.now));
  // The remaining ones may be about to come back.
  CHECK_FALSE(fleet.health.is_lost(GatewayId{0}, 5s, fleet.now));
  fleet.rounds(3, {0, 1});
  CHECK(fleet.health.is_lost(GatewayId{0}, 5s, fleet.now));
}

TEST_CASE("the brake holds before the first of many gateways is lost") {
  Fleet fleet(4);
  fleet.rounds(2);
  fleet.rounds(2, {0, 1, 2});
  fleet.now += 2s;
  fleet.health.observe(GatewayId{0}, HealthSource::http, false,
                       fleet.now);  // the other gateways' results are still under way
  fleet.health.evaluate(fleet.now);
  CHECK(fleet.state(0) == "down");
  CHECK(fleet.state(1) == "suspect");
  CHECK_FALSE(fleet.health.is_lost(GatewayId{0}, 0s, fleet.now));
}

TEST_CASE("gateways that fail one by one over a long time are each lost") {
  Fleet fleet(4);
  fleet.rounds(2);
  fleet.rounds(20, {0});
  fleet.rounds(20, {0, 1});
  fleet.rounds(20, {0, 1, 2});
  CHECK_FALSE(fleet.health.brakes());
  CHECK(fleet.health.is_lost(GatewayId{2}, 5s, fleet.now));
}

TEST_CASE("a failure of half of the gateways does not set the brake") {
  Fleet fleet(2);
  fleet.rounds(2);
  fleet.rounds(3, {0});
  CHECK_FALSE(fleet.health.brakes());
  CHECK(fleet.health.is_lost(GatewayId{0}, 0s, fleet.now));
  Fleet alone(1);
  alone.rounds(2);
  alone.rounds(3, {0});
  CHECK(alone.health.brakes());
}

TEST_CASE("a flapping gateway comes back after a growing hold-down") {
  Fleet fleet(4);
  fleet.rounds(2);
  const auto fall_and_rise = [&] {
    fleet.rounds(3, {0});
    REQUIRE(fleet.state(0) == "down");
    fleet.rounds(2);
  };
  const auto pause = [&] {
    int rounds = 0;
    while (fleet.state(0) == "suspect") {
      fleet.rounds(1);
      ++rounds;
    }
    return rounds * 2;  // seconds
  };
  fall_and_rise();
  CHECK(pause() == 0);
  fall_and_rise();
  CHECK(pause() == 30);
  fall_and_rise();
  CHECK(pause() == 60);
  fall_and_rise();
  CHECK(pause() == 120);
  CHECK(fleet.state(0) == "up");
  fleet.rounds(400);  // up for a long time: the earlier falls count no more
  fall_and_rise();
  CHECK(pause() == 0);
}

TEST_CASE("a returned gateway gets new rooms by slow start for a minute") {
  Fleet fleet(4);
  fleet.rounds(2);
  fleet.health.booked(GatewayId{0}, fleet.now);
  CHECK(fleet.fitness(0) == Fitness::fit);  // it never was away
  fleet.rounds(3, {0});
  CHECK(fleet.fitness(0) == Fitness::down);
  fleet.rounds(2);
  CHECK(fleet.fitness(0) == Fitness::fit);
  fleet.health.booked(GatewayId{0}, fleet.now);
  CHECK(fleet.fitness(0) == Fitness::suspect);
  fleet.health.refresh(fleet.now + 1999ms);
  CHECK(fleet.fitness(0) == Fitness::suspect);
  fleet.health.refresh(fleet.now + 2s);
  CHECK(fleet.fitness(0) == Fitness::fit);
  fleet.rounds(30);
  fleet.health.booked(GatewayId{0}, fleet.now);
  CHECK(fleet.fitness(0) == Fitness::fit);
}

TEST_CASE("the gateway's own answer counts more than the broker's message") {
  struct Case {
    const char* sentence;
    bool http_good, mqtt_good;
    const char* state;
  };
  const Case cases[] = {
      {"both good", true, true, "up"},
      {"it has died silently", false, true, "down"},
      {"it answers, and only its line to the broker is gone", true, false, "suspect"},
      {"both bad", false, false, "down"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.sentence);
    Fleet fleet(4);
    fleet.options.mqtt = true;
    fleet.health.watch(fleet.options, fleet.all);
    const std::vector<int> nobody, first{0};
    for (int i = 0; i < 4; ++i) {
      fleet.rounds(1, c.http_good ? nobody : first);
      fleet.rounds(1, c.mqtt_good ? nobody : first, HealthSource::mqtt);
    }
    CHECK(fleet.state(0) == c.state);
  }
}

TEST_CASE("a silent source leaves the verdict to the other source") {
  Fleet fleet(4);
  fleet.options.mqtt = true;
  fleet.health.watch(fleet.options, fleet.all);
  fleet.rounds(3, {0}, HealthSource::mqtt);
  CHECK(fleet.state(0) == "down");
}

TEST_CASE("a gateway watched anew keeps its state, and one no longer watched is unknown") {
  Fleet fleet(4);
  fleet.rounds(2);
  fleet.rounds(3, {0});
  fleet.health.watch(fleet.options, {GatewayId{0}, GatewayId{1}, GatewayId{2}, GatewayId{5}});
  CHECK(fleet.state(0) == "down");
  CHECK(fleet.state(3) == "unknown");
  CHECK(fleet.fitness(0) == Fitness::down);
  CHECK(fleet.state(5) == "unknown");
  fleet.options.http = false;
  fleet.health.watch(fleet.options, fleet.all);
  CHECK(fleet.state(0) == "unknown");
  CHECK_FALSE(fleet.health.is_lost(GatewayId{0}, 0s, fleet.now));
  CHECK(fleet.health.fitness().empty());
}
