#include "herd.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <string>
#include <vector>

#include "chance.h"
#include "domain/arrival_rate.h"
#include "domain/ledger.h"
#include "domain/placement.h"
#include "domain/warming_gateways.h"

namespace simulator {
namespace {

using domain::GatewayId;
using Selection = domain::Placement::Selection;

constexpr std::size_t fleet_size = 10;
constexpr std::uint64_t runs = 3;

domain::Moment moment(domain::ServiceTime::duration since) {
  return {domain::ServiceTime{} + std::chrono::hours(1) + since, domain::WallTime{}};
}

std::string name_of(std::size_t gateway) { return "gxy" + std::to_string(gateway + 1); }

struct Placed {
  domain::ServiceTime::duration time;
  GatewayId gateway;
  int by;
};

// One sidecar and its view: its own rooms at once, those of other sidecars after the lag.
class Sidecar {
 public:
  Sidecar(int number, const DecisionInput& input, const std::vector<std::int64_t>& rooms_before)
      : number_(number), lag_(input.lag), rooms_(rooms_before) {
    std::vector<GatewayId> candidates;
    for (std::size_t i = 0; i < fleet_size; ++i) candidates.push_back(GatewayId(i));
    if (input.a_gateway_joins) {
      warming_.look({candidates.begin(), candidates.end() - 1}, moment({}).service);
    }
    warming_.look(candidates, moment({}).service);
  }

  GatewayId place(const domain::Placement& placement, const std::vector<Placed>& all, Habit habit,
                  domain::ServiceTime::duration time, tests::Chance& chance) {
    for (; seen_ < all.size() && all[seen_].time + lag_ <= time; ++seen_) {
      const Placed& placed = all[seen_];
      if (placed.by != number_) book(placed.gateway, placed.time + lag_);
    }
    if (habit == Habit::random) return static_cast<GatewayId>(chance.below(fleet_size));
    domain::Placement::Loads loads{rooms_};
    loads.selection = selection(habit, moment(time).service);
    loads.chance = chance.number();
    return *placement.choose("", loads).gateway;
  }

  void book(GatewayId gateway, domain::ServiceTime::duration time) {
    ++rooms_[index_of(gateway)];
    arrivals_.arrived(moment(time).service);
  }

 private:
  Selection selection(Habit habit, domain::ServiceTime now) const {
    if (habit == Habit::least_loaded) return Selection::least_loaded;
    if (habit == Habit::two_choices) return Selection::two_choices;
    if (habit == Habit::random_ties) return Selection::random_ties;
    return arrivals_.is_burst(now) || warming_.any(now) ? Selection::two_choices : Selection::random_ties;
  }

  int number_;
  domain::Duration lag_;
  std::vector<std::int64_t> rooms_;  // by gateway
  domain::WarmingGateways warming_;
  domain::ArrivalRate arrivals_;
  std::size_t seen_ = 0;
};

domain::Placement placement() {
  domain::Options options;
  options.max_server_capacity = 1'000'000;  // none is ever full
  std::vector<domain::Gateway> rows(fleet_size);
  domain::GatewayNumbers gateways;
  for (std::size_t i = 0; i < fleet_size; ++i) {
    rows[i].id = domain::RowId(static_cast<std::int64_t>(i) + 1);
    rows[i].name = name_of(i);
    gateways.number(rows[i].name);
  }
  return domain::Placement(options, domain::Catalogue(rows, {}), gateways);
}

// The largest share of the arrivals of one second that one gateway got.
class Rush {
 public:
  void arrived(domain::ServiceTime::duration time, GatewayId gateway, int rate) {
    second_.emplace_back(time, gateway);
    ++counts_[index_of(gateway)];
    for (; second_.front().first + std::chrono::seconds(1) <= time; second_.pop_front()) {
      --counts_[index_of(second_.front().second)];
    }
    if (second_.size() * 2 < static_cast<std::size_t>(rate)) return;  // hardly begun
    const auto most = *std::max_element(counts_.begin(), counts_.end());
    largest = std::max(largest, static_cast<double>(most) / static_cast<double>(second_.size()));
  }
  double largest = 0;

 private:
  std::deque<std::pair<domain::ServiceTime::duration, GatewayId>> second_;
  std::vector<int> counts_ = std::vector<int>(fleet_size);
};

Evenness run(Habit habit, const DecisionInput& input, std::uint64_t seed) {
  tests::Chance chance(seed);
  const auto placement = simulator::placement();
  std::vector<std::int64_t> rooms(fleet_size, input.rooms_before);
  if (input.a_gateway_joins) rooms.back() = 0;
  std::vector<Sidecar> sidecars;
  for (int i = 0; i < input.sidecars; ++i) sidecars.emplace_back(i, input, rooms);
  std::vector<Placed> all;
  Rush rush;
  Evenness sum;
  int looks = 0;
  std::chrono::duration<double> time{0};
  for (int i = 0; i < input.rooms; ++i) {
    time += std::chrono::duration<double>(-std::log(1 - chance.share()) / input.rate);
    const auto now = std::chrono::duration_cast<domain::ServiceTime::duration>(time);
    const int by = chance.between(0, input.sidecars - 1);
    Sidecar& sidecar = sidecars[static_cast<std::size_t>(by)];
    const GatewayId gateway = sidecar.place(placement, all, habit, now, chance);
    all.push_back({now, gateway, by});
    sidecar.book(gateway, now);
    ++rooms[index_of(gateway)];
    rush.arrived(now, gateway, input.rate);
    if (i * 2 < input.rooms) continue;
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
    case Habit::least_loaded:
      return "least loaded";
    case Habit::random_ties:
      return "random ties";
    case Habit::two_choices:
      return "two choices";
    case Habit::switching:
      return "switching";
    case Habit::random:
      return "random";
  }
  return "";
}

DecisionInput joining(int sidecars, domain::Duration lag, int rate) { return {sidecars, lag, rate, 2000, 600, true}; }

DecisionInput again(int sidecars, domain::Duration lag) { return {sidecars, lag, 300, 300}; }

Evenness herd(Habit habit, const DecisionInput& input) {
  Evenness mean;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    const Evenness one = run(habit, input, seed);
    mean.fullest += 100 * one.fullest / runs;
    mean.excess += one.excess / runs;
    mean.rush = std::max(mean.rush, 100 * one.rush);
  }
  return mean;
}

}  // namespace simulator
