#include "replay.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace simulator {
namespace {

constexpr int word_every = 2;  // seconds, of each gateway: is it alive?
constexpr int measured_every = 10;

struct Mean {
  double sum = 0;
  std::size_t count = 0;
  void add(double value) { sum += value, ++count; }
  double get() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
};

struct Seen {
  Mean share, share_at_start, over;
  double worst = 0;
  std::int64_t worst_over = 0, moves = 0;
};

class Replay {
 public:
  Replay(const domain::Options& options, Rule::Choose choose, Seen& seen)
      : options_(options), fleet_(options), choose_(std::move(choose)), seen_(seen) {}

  void run(const std::vector<Event>& day) {
    auto event = day.begin();
    for (fleet_.second = 0; fleet_.second < end_of_day; ++fleet_.second) {
      fleet_.health.refresh(fleet_.now().service);
      if (fleet_.second % word_every == 0) look_after_health();
      if (fleet_.second % measured_every == 0) measure();
      for (; event != day.end() && event->time <= fleet_.second; ++event) take(*event);
    }
  }

 private:
  void take(const Event& event) {
    switch (event.kind) {
      case Event::Kind::enter:
        return enter(event);
      case Event::Kind::leave:
        return leave(event);
      case Event::Kind::die:
        fleet_.dead[event.gateway] = true;
        return;
      case Event::Kind::come_back:
        fleet_.dead[event.gateway] = false;
        return;
    }
  }

  void enter(const Event& event) {
    const auto* room = fleet_.ledger.find(event.room);
    if (!room || !room->held) place(event.room);
    fleet_.ledger.enter(event.user, event.room, {}, domain::Sessions::Report::own, fleet_.now());
    ++fleet_.users[index_of(fleet_.ledger.find(event.room)->held->gateway)];
  }

  void leave(const Event& event) {
    --fleet_.users[index_of(fleet_.ledger.find(event.room)->held->gateway)];
    fleet_.ledger.leave(event.user, event.room);
    if (!fleet_.ledger.find(event.room)->has_users()) fleet_.ledger.end_assignment(event.room);
  }

  void place(const domain::RoomId& room) {
    const auto gateway = choose_(fleet_);
    fleet_.ledger.book(room, gateway, "", fleet_.now());
    fleet_.ledger.confirm(room, gateway);
    fleet_.health.booked(gateway, fleet_.now().service);
  }

  void look_after_health() {
    const auto now = fleet_.now().service;
    for (const auto gateway : fleet_.numbers) {
      fleet_.health.observe(gateway, domain::HealthSource::http, !fleet_.dead[index_of(gateway)], now);
    }
    fleet_.health.evaluate(now);
    for (const auto gateway : fleet_.numbers) {
      if (fleet_.health.is_lost(gateway, options_.failover_wait, now)) move_rooms_off(gateway);
    }
  }

  void move_rooms_off(domain::GatewayId gateway) {
    for (const auto& [name, room] : fleet_.ledger.rooms()) {
      if (!room.held || room.held->gateway != gateway) continue;
      place(name);
      fleet_.users[index_of(gateway)] -= static_cast<std::int64_t>(room.users);
      fleet_.users[index_of(room.held->gateway)] += static_cast<std::int64_t>(room.users);
      ++seen_.moves;
    }
  }

  void measure() {
    fleet_.measured = fleet_.users;
    assert(std::accumulate(fleet_.users.begin(), fleet_.users.end(), std::int64_t{0}) ==
           static_cast<std::int64_t>(fleet_.ledger.sessions().live()));
    std::int64_t highest = 0, sum = 0, alive = 0, over = 0;
    for (const auto gateway : fleet_.numbers) {
      if (fleet_.dead[index_of(gateway)]) continue;
      const std::int64_t users = fleet_.users[index_of(gateway)];
      highest = std::max(highest, users);
      sum += users;
      ++alive;
      over += std::max<std::int64_t>(users - capacity, 0);
    }
    if (sum < gateways * capacity / 4) return;
    const double share = static_cast<double>(highest * alive) / static_cast<double>(sum);
    seen_.share.add(share);
    seen_.worst = std::max(seen_.worst, share);
    seen_.over.add(static_cast<double>(over));
    seen_.worst_over = std::max(seen_.worst_over, over);
    const bool at_start = std::any_of(std::begin(lessons), std::end(lessons), [&](int lesson) {
      return fleet_.second >= lesson && fleet_.second < lesson + 600;
    });
    if (at_start) seen_.share_at_start.add(share);
  }

  const domain::Options& options_;
  Fleet fleet_;
  Rule::Choose choose_;
  Seen& seen_;
};

}  // namespace

Spread replay(const Rule& rule, std::uint64_t days) {
  domain::Options options;
  options.max_server_capacity = capacity;
  options.load_by = rule.load_by;
  options.health.http = true;
  Seen seen;
  for (std::uint64_t seed = 1; seed <= days; ++seed) {
    Replay(options, rule.begin(seed), seen).run(make_day(seed));
  }
  return {seen.share.get(), seen.share_at_start.get(), seen.worst,
          seen.over.get(),  seen.worst_over,           static_cast<double>(seen.moves) / static_cast<double>(days)};
}

}  // namespace simulator
