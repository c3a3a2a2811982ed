// The same operations from many threads on one registry: the invariants hold in every order.
#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "app/clean_up.h"
#include "app/release_room.h"
#include "catch.h"
#include "observed.h"
#include "settings.h"

namespace {

using namespace std::chrono_literals;

constexpr std::size_t owners = 10;  // threads that enter and leave, each in rooms of its own
constexpr std::size_t rooms_each = 4;
constexpr std::size_t askers = 4;

// The room owner's knowledge: odd numbers while the room is certain to be occupied.
struct Occupied {
  std::atomic<std::uint64_t> epoch{0};
  std::atomic<std::uint64_t> compared{0};
  std::mutex mutex;
  std::string gateway;
};

app::Configured configuration() {
  app::Configured configured;
  configured.options.scale = true;
  configured.options.max_server_capacity = 100;
  for (int i = 1; i <= 4; ++i) {
    domain::ConfiguredGateway gateway;
    gateway.name = "g" + std::to_string(i);
    configured.gateways.push_back(gateway);
  }
  for (std::size_t i = 0; i < owners * rooms_each; ++i) {
    domain::ConfiguredRoom room;
    room.gateway_uid = domain::RoomId(std::to_string(i));
    room.default_gateway = "g" + std::to_string(i % 4 + 1);
    configured.rooms.push_back(room);
  }
  return configured;
}

std::string first_word(const std::string& text) { return text.substr(0, text.find(' ')); }

class ExcessUsers {
 public:
  explicit ExcessUsers(std::size_t rounds) : rounds_(rounds) {}

  void run() {
    std::vector<std::thread> working, around;
    for (std::size_t i = 0; i < owners; ++i) working.emplace_back([this, i] { own(i); });
    for (std::size_t i = 0; i < askers; ++i) around.emplace_back([this, i] { keep_asking(i); });
    around.emplace_back([this] { keep_in_order(); });
    around.emplace_back([this] { change_settings(); });
    for (std::thread& thread : working) thread.join();
    done_ = true;
    for (std::thread& thread : around) thread.join();
    for (const std::string& fault : faults_) UNSCOPED_INFO(fault);
    CHECK(faults_.empty());
    CHECK(model::rooms_in_use(sidecar_).find("recount") == std::string::npos);
    const std::string rows = model::assignment_rows(sidecar_);
    CHECK(without_users(model::assignments(sidecar_)) == rows);
    // Nobody waits for ever, and nothing is left pending.
    for (std::size_t i = 0; i < occupied_.size(); ++i) {
      const std::string answer = sidecar_.ask(std::to_string(i));
      CHECK(answer.find(' ') != std::string::npos);
    }
    CHECK(answers_ > 0);
    CHECK(compared_ > rounds_);
  }

 private:
  static std::string without_users(const std::string& listing) {
    std::string text;
    for (std::size_t at = 0; at < listing.size();) {
      const std::size_t end = listing.find('\n', at);
      const std::string line = listing.substr(at, end - at);
      text += line.substr(0, line.rfind(' ')) + "\n";
      at = end + 1;
    }
    return text;
  }

  void fault(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (faults_.size() < 20) faults_.push_back(text);
  }

  // Enters with a first user, lets others come and go, and leaves with the last.
  void own(std::size_t owner) {
    model::Chance chance(owner + 1);
    const std::vector<std::string> gateways{"", "", "g1", "g2", "g3", "g4"};
    for (std::size_t round = 0; round < rounds_; ++round) {
      const std::size_t number = owner * rooms_each + chance.below(rooms_each);
      const std::string room = std::to_string(number);
      const std::string user = "u" + room + "-";
      if (chance.one_in(3)) sidecar_.ask(room, "IL");
      const std::string answer = sidecar_.report(room, user + "0", chance.of(gateways));
      if (answer.find(' ') == std::string::npos) {
        fault("entering " + room + " was refused: " + answer);
        continue;
      }
      begin(number, first_word(answer));
      const std::size_t users = 1 + chance.below(4);
      for (std::size_t i = 1; i < users; ++i) {
        expect_same(number, sidecar_.report(room, user + std::to_string(i), chance.of(gateways)), "enter");
        if (chance.one_in(2)) expect_same(number, sidecar_.ask(room), "ask");
        if (chance.one_in(4)) expect_same(number, sidecar_.report(room, user + "0"), "keepalive");
        if (model::release(sidecar_, room, false) == "done") fault("an occupied room was released: " + room);
      }
      be_asked(number);
      for (std::size_t i = users; i-- > 1;) model::leave(sidecar_, room, user + std::to_string(i));
      end(number);
      model::leave(sidecar_, room, user + "0");
      if (chance.one_in(3)) model::release(sidecar_, room, chance.one_in(2));
    }
  }

  // Waits a little, so that other threads find a user there on a machine with few processors, too.
  void be_asked(std::size_t room) {
    const std::uint64_t before = occupied_[room].compared;
    for (int i = 0; i < 500 && occupied_[room].compared == before; ++i) std::this_thread::yield();
  }

  void begin(std::size_t room, const std::string& gateway) {
    {
      const std::lock_guard lock(occupied_[room].mutex);
      occupied_[room].gateway = gateway;
    }
    ++occupied_[room].epoch;
  }
  void end(std::size_t room) { ++occupied_[room].epoch; }

  void expect_same(std::size_t room, const std::string& answer, const char* what) {
    expect(room, answer, gateway_of(room), what);
  }
  void expect(std::size_t room, const std::string& answer, const std::string& gateway, const char* what) {
    if (first_word(answer) == gateway) return;
    fault(std::string(what) + " of occupied room " + std::to_string(room) + " said \"" + answer + "\" and not " +
          gateway);
  }
  std::string gateway_of(std::size_t room) {
    const std::lock_guard lock(occupied_[room].mutex);
    return occupied_[room].gateway;
  }

  void keep_asking(std::size_t asker) {
    model::Chance chance(100 + asker);
    while (!done_) {
      std::size_t room = chance.below(occupied_.size());
      for (int i = 0; i < 20 && occupied_[room].epoch % 2 == 0; ++i) room = chance.below(occupied_.size());
      const std::uint64_t before = occupied_[room].epoch;
      const std::string gateway = gateway_of(room);
      const bool explains = chance.one_in(4);
      const std::string answer = explains ? model::explain(sidecar_, std::to_string(room), "IL")
                                          : sidecar_.ask(std::to_string(room), chance.one_in(2) ? "IL" : "US");
      ++answers_;
      if (before % 2 == 0 || occupied_[room].epoch != before) continue;
      ++compared_;
      ++occupied_[room].compared;
      expect(room, answer, gateway, explains ? "explain" : "ask");
    }
  }

  // Time, cleaning, last uses, stale snapshots, listings.
  void keep_in_order() {
    model::Chance chance(200);
    while (!done_) {
      sidecar_.pass(std::chrono::milliseconds{chance.below(20)});
      if (chance.one_in(2)) app::clean_up(*sidecar_.registry);
      if (chance.one_in(2)) app::write_last_used(*sidecar_.registry, *sidecar_.journal);
      // It lists no session, and is older than every session's last report.
      if (chance.one_in(4)) model::snapshot(sidecar_, {}, 10h);
      if (chance.one_in(4)) model::gateways_listed(sidecar_);
      if (chance.one_in(4)) model::rooms_listed(sidecar_);
      if (chance.one_in(8)) sidecar_.journal->flush();
    }
  }

  void change_settings() {
    model::Chance chance(300);
    while (!done_) {
      const std::string gateway = "g" + std::to_string(chance.below(3) + 1);  // g4 always takes rooms
      switch (chance.below(4)) {
        case 0:
          model::drain(sidecar_, gateway, chance.one_in(2));
          break;
        case 1:
          sidecar_.execute("UPDATE gateways SET disabled = " + std::to_string(chance.below(2)) + " WHERE name = '" +
                           gateway + "'");
          sidecar_.keeper->refresh();
          break;
        case 2: {
          app::Configured changed = configuration();
          if (chance.one_in(2)) changed.options.available_servers = std::vector<std::string>{"g4", gateway};
          if (chance.one_in(2)) changed.options.regions.push_back({"IL", {gateway}, "config.toml:1"});
          // New pins wait until their rooms are empty.
          changed.options.pins.push_back(
              {domain::RoomId(std::to_string(chance.below(occupied_.size()))), "g4", "config.toml:2"});
          const auto result = sidecar_.reload(changed);
          for (const std::string& problem : result.problems) fault(problem);
          break;
        }
        default:
          std::this_thread::sleep_for(1ms);
      }
    }
  }

  const std::size_t rounds_;
  LoneSidecar sidecar_{configuration(), 60s};
  std::array<Occupied, owners * rooms_each> occupied_;
  std::atomic<bool> done_{false};
  std::atomic<std::size_t> answers_{0}, compared_{0};
  std::mutex mutex_;
  std::vector<std::string> faults_;
};

}  // namespace

TEST_CASE("sixteen threads keep one gateway per occupied room, exact loads, and the file equal to memory") {
  const char* rounds = std::getenv("MODEL_ROUNDS");
  ExcessUsers(rounds ? std::strtoull(rounds, nullptr, 10) : 150).run();
}
