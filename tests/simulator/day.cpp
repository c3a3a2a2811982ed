#include "day.h"

#include <algorithm>
#include <cmath>

#include "chance.h"

namespace simulator {

using tests::Chance;
namespace {

// Rooms of a lesson, and rooms that come and go at any time of the day.
constexpr int lesson_rooms = 130;
constexpr int free_rooms = 180;

// Most rooms are small and a few are very large: a Pareto distribution between 5 and 300 users.
int any_size(Chance& chance) {
  constexpr double least = 5, most = 300, shape = 1.2;
  const double tail = 1 - std::pow(least / most, shape);
  return static_cast<int>(least * std::pow(1 - chance.share() * tail, -1 / shape));
}

class Day {
 public:
  explicit Day(std::uint64_t seed) : chance_(seed) {}

  std::vector<Event> make() {
    for (int lesson : lessons) {
      for (int i = 0; i < lesson_rooms; ++i) add_lesson_room(lesson);
    }
    for (int i = 0; i < free_rooms; ++i) add_free_room();
    // One dies in the middle of a lesson, one when the teachers are there and the others are coming.
    const auto first = static_cast<std::uint32_t>(chance_.below(gateways));
    const auto second = static_cast<std::uint32_t>((first + 1 + chance_.below(gateways - 1)) % gateways);
    add_failure(first, lessons[1] + 1200, lessons[1] + 1800);
    add_failure(second, lessons[2] - 120, lessons[2] + 600);
    std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) { return a.time < b.time; });
    return std::move(events_);
  }

 private:
  // Two of three teachers come up to a quarter of an hour early. Most of the others come in the very minute
  // in which the lesson begins. Every fourth lesson lasts on through the next.
  void add_lesson_room(int begin) {
    const domain::RoomId room = new_room();
    const int size = any_size(chance_);
    const int end = begin + 2700 + (chance_.below(4) == 0 ? 3600 : 0);
    const bool early = chance_.below(3) > 0;
    if (early) add_user(room, begin - chance_.between(60, 900), end);
    for (int i = early ? 1 : 0; i < size; ++i) {
      const bool in_time = chance_.below(3) > 0;
      add_user(room, begin + (in_time ? chance_.between(0, 59) : chance_.between(-60, 300)), end);
    }
  }

  void add_free_room() {
    const domain::RoomId room = new_room();
    const int size = any_size(chance_);
    const int begin = chance_.between(0, end_of_day - 1200);
    const int end = begin + chance_.between(1200, 7200);
    for (int i = 0; i < size; ++i) add_user(room, begin + chance_.between(0, 300), end);
  }

  void add_user(const domain::RoomId& room, int enters, int leaves) {
    const std::string user = "u" + std::to_string(++users_);
    events_.push_back({enters, Event::Kind::enter, room, user});
    events_.push_back({leaves + chance_.between(-60, 120), Event::Kind::leave, room, user});
  }

  void add_failure(std::uint32_t gateway, int dies, int comes_back) {
    events_.push_back({dies, Event::Kind::die, {}, {}, gateway});
    events_.push_back({comes_back, Event::Kind::come_back, {}, {}, gateway});
  }

  domain::RoomId new_room() { return domain::RoomId("r" + std::to_string(++rooms_)); }

  Chance chance_;
  std::vector<Event> events_;
  int rooms_ = 0;
  int users_ = 0;
};

}  // namespace

std::vector<Event> make_day(std::uint64_t seed) { return Day(seed).make(); }

}  // namespace simulator
