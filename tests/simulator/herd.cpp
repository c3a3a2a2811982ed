#include "herd.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <string>
#include <vector>

#include "chance.h"
#include "domain/ledger.h"
#include "domain/newcomers.h"
#include "domain/placement.h"
#include "domain/storm.h"

namespace simulator {
namespace {

using domain::GatewayNumber;
using Manner = domain::Placement::Manner;

constexpr std::size_t fleet_size = 10;
constexpr std::uint64_t runs = 3;

domain::Moment moment(domain::ServiceTime::duration since) {
  return {domain::ServiceTime{} + std::chrono::hours(1) + since, domain::WallTime{}};
}

std::string name_of(std::size_t gateway) { return "gxy" + std::to_string(gateway + 1); }

struct Placed {
  domain::ServiceTime::duration time;
  GatewayNumber gateway;
  int by;
};

// One sidecar with its picture: its own rooms at once, the others' after the lag.
class Sidecar {
 public:
  Sidecar(int number, const Situation& situation, const std::vector<std::int64_t>& rooms_before)
      : number_(number), lag_(situation.lag), rooms_(rooms_before) {
    std::vector<GatewayNumber> candidates(fleet_size);
    std::iota(candidates.begin(), candidates.end(), GatewayNumber{0});
    if (situation.a_gateway_joins) {
      newcomers_.look({candidates.begin(), candidates.end() - 1}, moment({}).service);
    }
    newcomers_.look(candidates, moment({}).service);
  }

  GatewayNumber place(const domain::Placement& placement, const std::vector<Placed>& all, Habit habit,
                      domain::ServiceTime::duration time, tests::Chance& chance) {
    for (; seen_ < all.size() && all[seen_].time + lag_ <= time; ++seen_) {
      const Placed& placed = all[seen_];
      if (placed.by != number_) book(placed.gateway, placed.time + lag_);
    }
    if (habit == Habit::random) return static_cast<GatewayNumber>(chance.below(fleet_size));
    domain::Placement::Scene scene{rooms_};
    scene.manner = manner(habit, moment(time).service);
    scene.chance = chance.number();
    return *placement.choose("", scene).gateway;
  }

  void book(GatewayNumber gateway, domain::ServiceTime::duration time) {
    ++rooms_[gateway];
    storm_.arrived(moment(time).service);
  }

 private:
  Manner manner(Habit habit, domain::ServiceTime now) const {
    if (habit == Habit::first_listed) return Manner::alone;
    if (habit == Habit::unsure) return Manner::unsure;
    if (habit == Habit::shared) return Manner::shared;
    return storm_.rages(now) || newcomers_.any(now) ? Manner::unsure : Manner::shared;
  }

  int number_;
  domain::Duration lag_;
  std::vector<std::int64_t> rooms_;  // by gateway
  domain::Newcomers newcomers_;
  domain::Storm storm_;
  std::size_t seen_ = 0;
};

domain::Placement placement() {
  domain::Options options;
  options.max_server_capacity = 1'000'000;  // none is ever full
  std::vector<domain::Gateway> rows(fleet_size);
  domain::Ledger ledger;
  for (std::size_t i = 0; i < fleet_size; ++i) {
    rows[i].id = static_cast<std::int64_t>(i) + 1;
    rows[i].name = name_of(i);
    ledger.number_of(rows[i].name);
  }
  return domain::Placement(options, domain::Catalogue(rows, {}),
                           [&](const std::string& name) { return ledger.number_of(name); });
}

// The largest share of the arrivals of one second that one gateway got.
class Rush {
 public:
  void arrived(domain::ServiceTime::duration time, GatewayNumber gateway, int rate) {
    second_.emplace_back(time, gateway);
    ++counts_[gateway];
    for (; second_.front().first + std::chrono::seconds(1) <= time; second_.pop_front()) {
      --counts_[second_.front().second];
    }
    if (second_.size() * 2 < static_cast<std::size_t>(rate)) return;  // hardly begun
    const auto most = *std::max_element(counts_.begin(), counts_.end());
    largest = std::max(largest, static_cast<double>(most) / static_cast<double>(second_.size()));
  }
  double largest = 0;

 private:
  std::deque<std::pair<domain::ServiceTime::duration, GatewayNumber>> second_;
  std::vector<int> counts_ = std::vector<int>(fleet_size);
};

Evenness run(Habit habit, const Situation& situation, std::uint64_t seed) {
  tests::Chance chance(seed);
  const auto placement = simulator::placement();
  std::vector<std::int64_t> rooms(fleet_size, situation.rooms_before);
  if (situation.a_gateway_joins) rooms.back() = 0;
  std::vector<Sidecar> sidecars;
  for (int i = 0; i < situation.sidecars; ++i) sidecars.emplace_back(i, situation, rooms);
  std::vector<Placed> all;
  Rush rush;
  Evenness sum;
  int looks = 0;
  std::chrono::duration<double> time{0};
  for (int i = 0; i < situation.rooms; ++i) {
    time += std::chrono::duration<double>(-std::log(1 - chance.share()) / situation.rate);
    const auto now = std::chrono::duration_cast<domain::ServiceTime::duration>(time);
    const int by = chance.between(0, situation.sidecars - 1);
    Sidecar& sidecar = sidecars[static_cast<std::size_t>(by)];
    const GatewayNumber gateway = sidecar.place(placement, all, habit, now, chance);
    all.push_back({now, gateway, by});
    sidecar.book(gateway, now);
    ++rooms[gateway];
    rush.arrived(now, gateway, situation.rate);
    if (i * 2 < situation.rooms) continue;
    const double mean = static_cast<double>(std::accumulate(rooms.begin(), rooms.end(), std::int64_t{0})) /
                        static_cast<double>(fleet_size);
    const double excess = static_cast<double>(*std::max_element(rooms.begin(), rooms.end())) - mean;
    sum.excess += excess;
    sum.fullest += excess / mean;
    ++looks;
  }
  return {sum.fullest / looks, sum.excess / looks, rush.largest};
}

}  // namespace

std::string_view to_text(Habit habit) {
  switch (habit) {
    case Habit::first_listed:
      return "first listed";
    case Habit::shared:
      return "shared";
    case Habit::unsure:
      return "unsure";
    case Habit::switching:
      return "switching";
    case Habit::random:
      return "random";
  }
  return "";
}

Situation joining(int sidecars, domain::Duration lag, int rate) { return {sidecars, lag, rate, 2000, 600, true}; }

Situation again(int sidecars, domain::Duration lag) { return {sidecars, lag, 300, 300}; }

Evenness herd(Habit habit, const Situation& situation) {
  Evenness mean;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    const Evenness one = run(habit, situation, seed);
    mean.fullest += 100 * one.fullest / runs;
    mean.excess += one.excess / runs;
    mean.rush = std::max(mean.rush, 100 * one.rush);
  }
  return mean;
}

}  // namespace simulator
