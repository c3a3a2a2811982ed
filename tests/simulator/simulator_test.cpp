// The statements of docs/placement.md about its tables. A tenth of the days is replayed, with margins for that.
#include <algorithm>
#include <map>

#include "catch.h"
#include "domain/arrival_rate.h"
#include "herd.h"
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

TEST_CASE("the statements of docs/placement.md about the rules are true") {
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

TEST_CASE("the same seed makes the same day, with rooms of 5 to 300 users") {
  using Event = simulator::Event;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto day = simulator::make_day(seed), again = simulator::make_day(seed);
    const auto same = [](const Event& a, const Event& b) {
      return a.time == b.time && a.room == b.room && a.user == b.user && a.gateway == b.gateway;
    };
    CHECK(std::equal(day.begin(), day.end(), again.begin(), again.end(), same));
    CHECK(std::is_sorted(day.begin(), day.end(), [](const Event& a, const Event& b) { return a.time < b.time; }));
    std::map<domain::RoomId, int> users;
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

using namespace std::chrono_literals;
using simulator::Habit;
using simulator::herd;

TEST_CASE("random ties up to 50 ms of lag spread as evenly as the first listed or better, and never far off") {
  for (const int rate : {20, 200}) {
    for (const int sidecars : {3, 10, 50}) {
      for (const domain::Duration lag : {5ms, 50ms}) {
        CAPTURE(rate, sidecars, lag.count());
        const auto random_ties = herd(Habit::random_ties, {sidecars, lag, rate});
        CHECK(random_ties.fullest <= herd(Habit::least_loaded, {sidecars, lag, rate}).fullest * 1.02);
        CHECK(random_ties.fullest < 1.5);
      }
    }
  }
}

TEST_CASE("the evenness depends on the rate times the lag") {
  for (const Habit habit : {Habit::random_ties, Habit::two_choices}) {
    const double fast = herd(habit, {10, 50ms, 200}).fullest, slow = herd(habit, {10, 500ms, 20}).fullest;
    CHECK(fast < slow * 1.05);
    CHECK(slow < fast * 1.05);
  }
}

TEST_CASE("the lowest load causes herding on old data, and two choices do not") {
  for (const int sidecars : {10, 50}) {
    for (const domain::Duration lag : {500ms, 5000ms}) {
      CAPTURE(sidecars, lag.count());
      const auto random_ties = herd(Habit::random_ties, {sidecars, lag, 200}),
                 two_choices = herd(Habit::two_choices, {sidecars, lag, 200});
      CHECK(two_choices.fullest * 3 < random_ties.fullest);
      CHECK(two_choices.rush < 34);
      CHECK(random_ties.rush > 60);
      CHECK((two_choices.fullest > herd(Habit::random, {sidecars, lag, 200}).fullest) == (lag == 5000ms));
    }
  }
  CHECK(herd(Habit::random_ties, {50, 5000ms, 20}).rush > 99);
}

TEST_CASE("two choices cost less than one room more than random ties on fresh data") {
  for (const int rate : {20, 200}) {
    const double random_ties = herd(Habit::random_ties, {10, 5ms, rate}).excess;
    const double two_choices = herd(Habit::two_choices, {10, 5ms, rate}).excess;
    CHECK(random_ties < two_choices);
    CHECK(two_choices < random_ties + 1);
  }
}

TEST_CASE("switching is as good as the better rule up to 50 ms of lag, but does not notice a slow network") {
  for (const int rate : {20, 200}) {
    for (const int sidecars : {10, 50}) {
      const double better = std::min(herd(Habit::random_ties, {sidecars, 50ms, rate}).excess,
                                     herd(Habit::two_choices, {sidecars, 50ms, rate}).excess);
      CHECK(herd(Habit::switching, {sidecars, 50ms, rate}).excess < better * 1.1);
    }
  }
  CHECK(herd(Habit::switching, {10, 5000ms, 20}).fullest > 3 * herd(Habit::two_choices, {10, 5000ms, 20}).fullest);
}

TEST_CASE("an empty gateway gets every room of a second by the lowest load, and a third of them by two choices") {
  for (const int sidecars : {10, 50}) {
    const auto joining = simulator::joining(sidecars, 50ms, 200);
    CHECK(herd(Habit::random_ties, joining).rush > 99);
    for (const Habit habit : {Habit::two_choices, Habit::switching}) CHECK(herd(habit, joining).rush < 34);
  }
}

TEST_CASE("rooms that all come again within a second are spread better by two choices and by switching") {
  for (const int sidecars : {10, 50}) {
    for (const domain::Duration lag : {50ms, 500ms}) {
      CAPTURE(sidecars, lag.count());
      const auto again = simulator::again(sidecars, lag);
      const double random_ties = herd(Habit::random_ties, again).fullest;
      for (const Habit habit : {Habit::two_choices, Habit::switching})
        CHECK(herd(habit, again).fullest < random_ties * 0.8);
    }
  }
}

TEST_CASE("a burst begins at the rate from which two choices are the better rule on data 50 ms old") {
  const int about = static_cast<int>(domain::ArrivalRate::most);
  for (const int sidecars : {10, 50}) {
    CHECK(herd(Habit::random_ties, {sidecars, 50ms, about - 10}).excess <
          herd(Habit::two_choices, {sidecars, 50ms, about - 10}).excess);
    CHECK(herd(Habit::two_choices, {sidecars, 50ms, about + 10}).excess <
          herd(Habit::random_ties, {sidecars, 50ms, about + 10}).excess);
  }
}
