// What docs/placement.md says of its table, over a tenth of the days. The margins are for the fewer days.
#include <algorithm>
#include <map>

#include "catch.h"
#include "replay.h"

namespace {

constexpr std::uint64_t days = 10;

struct Table {
  std::vector<simulator::Spread> rows;
  Table() {
    for (const auto& rule : simulator::all_rules()) rows.push_back(simulator::replay(rule, days));
    REQUIRE(rows.size() == 6);
  }
  const simulator::Spread& by_rooms() const { return rows[0]; }
  const simulator::Spread& by_sessions() const { return rows[1]; }
  const simulator::Spread& random() const { return rows[2]; }
  const simulator::Spread& round_robin() const { return rows[3]; }
  const simulator::Spread& two_choices() const { return rows[4]; }
  const simulator::Spread& measured() const { return rows[5]; }
};

}  // namespace

TEST_CASE("what docs/placement.md says of the rules is so") {
  const Table table;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    CAPTURE(i);
    const simulator::Spread& row = table.rows[i];
    if (&row != &table.by_sessions()) {
      CHECK(table.by_sessions().mean < row.mean * 0.98);
      CHECK(table.by_sessions().at_lesson_start < row.at_lesson_start * 0.98);
      CHECK(table.by_sessions().mean_over < row.mean_over * 0.9);
    }
    if (&row != &table.measured()) {
      CHECK(row.mean < table.measured().mean * 0.95);
      CHECK(row.at_lesson_start < table.measured().at_lesson_start * 0.9);
      CHECK(row.mean_over < table.measured().mean_over * 0.8);
    }
    CHECK(row.moves < table.random().moves * 1.25);
    CHECK(row.moves > table.random().moves * 0.75);
  }
  CHECK(table.by_rooms().at_lesson_start < table.random().at_lesson_start * 0.98);
  CHECK(table.by_rooms().mean_over < table.random().mean_over);
  for (const auto* other : {&table.round_robin(), &table.two_choices()}) {
    CHECK(table.by_rooms().at_lesson_start < other->at_lesson_start * 1.03);
    CHECK(table.by_rooms().mean < other->mean * 1.08);
  }
}

TEST_CASE("the same seed makes the same day, of rooms with 5 to 300 users") {
  using Event = simulator::Event;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto day = simulator::make_day(seed), again = simulator::make_day(seed);
    const auto same = [](const Event& a, const Event& b) {
      return a.time == b.time && a.room == b.room && a.user == b.user && a.gateway == b.gateway;
    };
    CHECK(std::equal(day.begin(), day.end(), again.begin(), again.end(), same));
    CHECK(std::is_sorted(day.begin(), day.end(), [](const Event& a, const Event& b) { return a.time < b.time; }));
    std::map<std::string, int> users;
    for (const Event& event : day) {
      if (event.kind == Event::Kind::enter) ++users[event.room];
    }
    CHECK(users.size() == 700);
    const auto sizes = [](const auto& a, const auto& b) { return a.second < b.second; };
    CHECK(std::min_element(users.begin(), users.end(), sizes)->second == 5);
    CHECK(std::max_element(users.begin(), users.end(), sizes)->second > 200);
    CHECK(std::max_element(users.begin(), users.end(), sizes)->second <= 300);
  }
}
