// Random sequences of every operation, against the rules of the contract. A failure names the seed and the last
// steps; MODEL_SEED and MODEL_STEPS repeat it, or try others.
#include <cstdlib>
#include <deque>

#include "app/clean_up.h"
#include "catch.h"
#include "observed.h"
#include "rules.h"
#include "settings.h"

namespace {

using namespace std::chrono_literals;

class Walk {
 public:
  explicit Walk(std::uint64_t seed)
      : seed_(seed),
        chance_(seed),
        configured_(any_configuration_with_rooms()),
        sidecar_(configured_),
        rules_(configured_, 1'800'003'600'000ms) {}

  void run(std::size_t steps) {
    compare("at the start", "", "");
    for (; step_ < steps; ++step_) {
      take_a_step();
      if (step_ % 50 == 0) compare_file();
    }
    compare_file();
  }

 private:
  app::Configured any_configuration_with_rooms() { return model::any_configuration(chance_); }

  void take_a_step() {
    const std::size_t kind = chance_.below(1000);
    if (kind < 270) return ask();
    if (kind < 520) return enter();
    if (kind < 650) return leave();
    if (kind < 680) return snapshot();
    if (kind < 830) return pass(milliseconds_up_to(5000));
    if (kind < 845) return pass_long();
    if (kind < 850) return stand_still();
    if (kind < 853) return set_wall_clock();
    if (kind < 900) return explain();
    if (kind < 950) return clean_up();
    if (kind < 960) return drain();
    if (kind < 980) return release();
    if (kind < 988) return edit();
    if (kind < 996) return reload();
    return restart();
  }

  std::string any_room() {
    static const std::vector<std::string> names{"r1", "r2", "r3",  "r4", "r5", "r6", "r7",
                                                "r8", "r9", "r10", "s1", "x1", "x2"};
    return chance_.of(names);
  }
  std::string any_session() { return "u" + std::to_string(chance_.below(24)); }
  std::string any_country() {
    static const std::vector<std::string> countries{"", "", "IL", " us\t", "RU", "XX", "a country of no region"};
    return chance_.of(countries);
  }
  std::string any_janus() {
    static const std::vector<std::string> names{"", "", "", "g1", "g2", "g3", "g4", "g5", "g6", "h1", "nowhere"};
    return chance_.of(names);
  }
  std::chrono::milliseconds milliseconds_up_to(int limit) {
    return std::chrono::milliseconds{chance_.below(static_cast<std::size_t>(limit)) + 1};
  }

  void ask() {
    const std::string room = any_room(), country = any_country();
    const std::string foreseen = sidecar_explain(room, country);
    const std::string expected = rules_.ask(room, country);
    const std::string what = "ask " + room + " from \"" + country + "\"";
    compare(what, expected, sidecar_.ask(room, country));
    if (foreseen != expected) fail(what + ": explain said otherwise", expected, foreseen);
  }

  std::string sidecar_explain(const std::string& room, const std::string& country) {
    return model::explain(sidecar_, room, country);
  }

  void explain() {
    const std::string room = any_room(), country = any_country();
    compare("explain " + room + " from \"" + country + "\"", rules_.explain(room, country),
            sidecar_explain(room, country));
  }

  void enter() {
    const std::string room = any_room(), session = any_session(), janus = any_janus();
    compare("enter " + room + " " + session + " on \"" + janus + "\"", rules_.enter(room, session, janus),
            sidecar_.report(room, session, janus));
  }

  void leave() {
    const std::string room = any_room(), session = any_session();
    compare("leave " + room + " " + session, rules_.leave(room, session), model::leave(sidecar_, room, session));
  }

  void snapshot() {
    std::vector<app::SnapshotEntry> entries;
    std::string what = "snapshot";
    let_pass(1ms, true);  // without any other operation
    const std::size_t count = chance_.below(25);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string janus = any_janus();
      entries.push_back({any_room(), any_session(), std::nullopt});
      if (!janus.empty()) entries.back().janus = janus;
      what += " " + *entries.back().room + "/" + *entries.back().session + "/" + janus;
    }
    const std::chrono::milliseconds age = chance_.one_in(3) ? 0ms : milliseconds_up_to(60000);
    compare(what + " age " + std::to_string(age.count()), rules_.snapshot(entries, age),
            model::snapshot(sidecar_, entries, age));
  }

  void let_pass(std::chrono::milliseconds time, bool counts) {
    sidecar_.pass(time);
    if (counts) rules_.now += time;
    rules_.wall += time;
    app::Registry::Transaction tick(*sidecar_.registry);
    rules_.tick();
  }

  void pass(std::chrono::milliseconds time) {
    let_pass(time, true);
    compare(std::to_string(time.count()) + " ms pass", "", "");
  }

  void pass_long() {
    const std::size_t ticks = chance_.below(30);
    for (std::size_t i = 0; i < ticks; ++i) let_pass(5s, true);
    compare(std::to_string(ticks) + " times 5 s pass", "", "");
  }

  void stand_still() {
    const auto time = 5s + milliseconds_up_to(3'600'000);
    let_pass(time, false);
    compare("it stands still for " + std::to_string(time.count()) + " ms", "", "");
  }

  void set_wall_clock() {
    const std::chrono::milliseconds by = chance_.one_in(2) ? 1h : -1h;
    sidecar_.set_wall_clock(by);
    rules_.wall += by;
    compare("wall clock " + std::to_string(by.count()), "", "");
  }

  void clean_up() { compare("clean up", rules_.clean_up(), std::to_string(app::clean_up(*sidecar_.registry))); }

  void drain() {
    const std::string gateway = "g" + std::to_string(chance_.below(7));
    const bool draining = chance_.one_in(2);
    compare((draining ? "drain " : "undrain ") + gateway, rules_.drain(gateway, draining),
            model::drain(sidecar_, gateway, draining));
  }

  void release() {
    const std::string room = any_room();
    const bool force = chance_.one_in(2);
    compare("release " + room + (force ? " force" : ""), rules_.release(room, force),
            model::release(sidecar_, room, force));
  }

  void edit();

  void reload() {
    if (chance_.one_in(8)) return reload_badly();
    configured_ = model::changed(configured_, chance_);
    rules_.reload(configured_);
    std::string problems;
    for (const std::string& problem : sidecar_.reload(configured_).problems) problems += problem + "\n";
    sidecar_.configured = configured_;
    compare("reload: " + model::reported(configured_), "", problems);
  }

  // Mode, lists and numbers of a configuration that is refused change nothing.
  void reload_badly() {
    app::Configured bad = model::changed(configured_, chance_);
    bad.options.available_servers = std::vector<std::string>{"g1", "nosuch"};
    compare("reload of a bad one", "refused", sidecar_.reload(bad).problems.empty() ? "applied" : "refused");
  }

  void restart() {
    compare_file();
    if (chance_.one_in(2)) configured_ = model::changed(configured_, chance_);
    sidecar_.configured = configured_;
    rules_.restart(configured_);
    sidecar_.restart();
    compare("restart: " + model::reported(configured_), "", "");
    compare_file();
  }

  void compare_file() {
    check("rows of assignments", rules_.assignment_rows(), model::assignment_rows(sidecar_));
    if (configured_.options.scale) check("rows of sessions", rules_.session_rows(), model::session_rows(sidecar_));
  }

  void compare(const std::string& what, const std::string& expected, const std::string& got) {
    done_.push_back(std::to_string(step_) + " " + what + " -> " + got);
    if (done_.size() > 30) done_.pop_front();
    check("the answer", expected, got);
    const std::string assignments = rules_.assignments();
    check("assignments", assignments, model::rooms_in_use(sidecar_));
    if (step_ % 20 != 0) return;
    check("assignments", assignments, model::assignments(sidecar_));
    check("gateways", rules_.gateways_listed(), model::gateways_listed(sidecar_));
    check("rooms", rules_.rooms_listed(), model::rooms_listed(sidecar_));
  }

  void check(const std::string& of, const std::string& expected, const std::string& got) {
    if (expected != got) fail(of, expected, got);
  }

  [[noreturn]] void fail(const std::string& of, const std::string& expected, const std::string& got) {
    std::string text = "MODEL_SEED=" + std::to_string(seed_) + ", step " + std::to_string(step_) + "\n";
    for (const std::string& line : done_) text += "  " + line + "\n";
    FAIL(text + of + "\n-- by the rules\n" + expected + "\n-- got\n" + got);
    std::abort();
  }

  const std::uint64_t seed_;
  std::size_t step_ = 0;
  std::deque<std::string> done_;
  model::Chance chance_;
  app::Configured configured_;
  LoneSidecar sidecar_{std::chrono::seconds{60}};
  model::Rules rules_;
};

// Through a second connection, as an operator with the shell.
void Walk::edit() {
  const std::string gateway = "g" + std::to_string(chance_.below(6) + 1);
  std::string room = "r" + std::to_string(chance_.below(10) + 1);
  std::string sql;
  const auto known_gateway = rules_.gateways.find(gateway);
  const auto known_room = rules_.rooms.find(room);
  switch (chance_.below(8)) {
    case 0:
    case 1: {
      const bool disabled = chance_.one_in(2);
      sql = "UPDATE gateways SET disabled = " + std::to_string(disabled) + " WHERE name = '" + gateway + "'";
      if (known_gateway != rules_.gateways.end()) known_gateway->second.disabled = disabled;
      break;
    }
    case 2: {
      const auto capacity = static_cast<std::int64_t>(chance_.below(40) + 1);
      sql = "UPDATE gateways SET capacity = " + std::to_string(capacity) + " WHERE name = '" + gateway + "'";
      if (known_gateway != rules_.gateways.end()) known_gateway->second.capacity = capacity;
      break;
    }
    case 3: {
      const bool disabled = chance_.one_in(2);
      sql = "UPDATE rooms SET disabled = " + std::to_string(disabled) + " WHERE gateway_uid = '" + room + "'";
      if (known_room != rules_.rooms.end()) known_room->second.disabled = disabled;
      break;
    }
    case 4:
    case 5: {
      const bool known = known_gateway != rules_.gateways.end() && !chance_.one_in(4);
      sql = "UPDATE rooms SET default_gateway_id = " +
            (known ? "(SELECT id FROM gateways WHERE name = '" + gateway + "')" : std::string("NULL")) +
            " WHERE gateway_uid = '" + room + "'";
      if (known_room != rules_.rooms.end()) {
        known_room->second.default_gateway.reset();
        if (known) known_room->second.default_gateway = gateway;
      }
      break;
    }
    case 6:
      if (rules_.rooms.count("s1") > 0) {
        sql = "DELETE FROM rooms WHERE gateway_uid = 's1'";
        rules_.rooms.erase("s1");
      } else {
        sql =
            "INSERT INTO rooms(gateway_uid, default_gateway_id) SELECT 's1', id FROM gateways "
            "WHERE name = 'g1'";
        rules_.rooms["s1"].default_gateway = "g1";
      }
      break;
    default:
      if (rules_.gateways.count("h1") == 0) {
        sql = "INSERT INTO gateways(name, url) VALUES('h1', 'wss://h1')";
        rules_.gateway("h1");
      } else {
        sql = "UPDATE rooms SET removed_at = '2026-11-23T03:27:00.123Z' WHERE gateway_uid = '" + room + "'";
        if (known_room != rules_.rooms.end()) known_room->second.removed = true;
      }
  }
  sidecar_.execute(sql);
  sidecar_.keeper->refresh();
  rules_.catalogue_changed();
  compare(sql, "", "");
}

std::uint64_t number(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

TEST_CASE("answers and rows follow the contract's rules under random interleavings") {
  const std::uint64_t first = number("MODEL_SEED", 1);
  const std::uint64_t seeds = number("MODEL_SEEDS", std::getenv("MODEL_SEED") ? 1 : 100);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) Walk(seed).run(number("MODEL_STEPS", 1000));
}
