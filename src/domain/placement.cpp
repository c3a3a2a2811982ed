#include "domain/placement.h"

#include <algorithm>
#include <set>

namespace domain {
namespace {

__extension__ using Wide = __int128;  // load × capacity

// Capacities come from configuration (at most this) or from SQL (anything).
constexpr std::int64_t largest_capacity = 1'000'000'000;

std::int64_t capacity_of(const Gateway& gateway, const Options& options) {
  return std::clamp<std::int64_t>(gateway.capacity.value_or(options.max_server_capacity), 1,
                                  largest_capacity);
}

// The gateways that may get new rooms as far as lists go, in order.
std::vector<const Gateway*> listed(const Options& options, const Catalogue& catalogue) {
  std::vector<const Gateway*> result;
  if (options.available_servers) {
    for (const std::string& name : *options.available_servers) {
      if (const Gateway* gateway = catalogue.gateway(name)) result.push_back(gateway);
    }
  } else {
    for (const Gateway& gateway : catalogue.gateways()) result.push_back(&gateway);
  }
  return result;
}

}  // namespace

std::string_view to_text(Reason reason) {
  switch (reason) {
    case Reason::default_gateway: return "default";
    case Reason::pinned: return "pinned";
    case Reason::sticky: return "sticky";
    case Reason::assigned: return "assigned";
    case Reason::overflow: return "overflow";
    case Reason::borrowed: return "borrowed";
    case Reason::reassigned: return "reassigned";
  }
  return "";
}

std::string_view code_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::room_not_found: return "room_not_found";
    case Refusal::default_gateway_unusable: return "gateway_not_found";
    case Refusal::no_gateway_available: return "no_gateway_available";
    case Refusal::capacity_exhausted: return "capacity_exhausted";
    case Refusal::storage_unavailable: return "storage_unavailable";
  }
  return "";
}

Placement::Placement(const Options& options, const Catalogue& catalogue, const Numbering& number_of)
    : occupancy_(options.avg_room_occupancy), overflow_(options.when_full == WhenFull::overflow) {
  std::vector<Candidate> candidates;  // in the available order
  std::map<GatewayNumber, Candidate> by_number;
  const auto know = [&](const Gateway& gateway, bool available) {
    if (gateway.removed) return;
    const GatewayNumber number = number_of(gateway.name);
    const std::int64_t capacity = capacity_of(gateway, options);
    std::string_view obstacle;
    if (gateway.disabled) {
      obstacle = "disabled";
    } else if (!available || !gateway.serves_rooms()) {
      obstacle = "not_available";
    } else if (gateway.draining) {
      obstacle = "draining";
    }
    known_at_.resize(std::max<std::size_t>(known_at_.size(), number + 1));
    known_at_[number] = known_.size();
    known_.push_back({gateway.name, number, capacity, obstacle});
    available_[gateway.name] = available && gateway.serves_rooms();
    if (obstacle.empty()) {
      candidates.push_back({number, capacity, capacity - occupancy_});
      by_number.emplace(number, candidates.back());
    }
  };
  std::set<std::string_view> seen;
  for (const Gateway* gateway : listed(options, catalogue)) {
    if (seen.insert(gateway->name).second) know(*gateway, true);
  }
  for (const Gateway& gateway : catalogue.gateways()) {
    if (!seen.count(gateway.name)) know(gateway, false);
  }

  std::map<GatewayNumber, std::set<std::string>> lists;  // which regions list a gateway
  for (const Region& region : options.regions) {
    for (const std::string& name : region.gateways) {
      lists[number_of(name)].insert(region.country);
      regions_of_[name].push_back(region.country);
    }
  }
  const auto fill = [&](View& view, const std::string& country) {
    for (const Candidate& candidate : candidates) {
      const auto by = lists.find(candidate.number);
      const bool own = by != lists.end() && by->second.count(country);
      const bool shared = by == lists.end() || by->second.empty() || (own && by->second.size() == 1);
      if (!own && shared) view.shared.push_back(candidate);
      (own || shared ? view.open : view.rest).push_back(candidate);
    }
    view.turns.assign(known_at_.size(), 2);
    for (const Candidate& candidate : view.rest) view.turns[candidate.number] = 4;
    for (const Candidate& candidate : view.own) view.turns[candidate.number] = 1;
  };
  fill(no_region_, "");
  for (const Region& region : options.regions) {
    View& view = views_[region.country];
    for (const std::string& name : region.gateways) {
      const GatewayNumber number = number_of(name);
      view.region.push_back(number);
      if (const auto it = by_number.find(number); it != by_number.end()) view.own.push_back(it->second);
    }
    fill(view, region.country);
  }
}

const Placement::View& Placement::view_of(std::string_view country) const {
  const auto it = views_.find(country);
  return it == views_.end() ? no_region_ : it->second;
}

const Placement::Candidate* Placement::least_loaded(const std::vector<Candidate>& candidates,
                                                    const Scene& scene, Fitness worst, bool full_too) const {
  const Candidate* best = nullptr;
  std::int64_t best_load = 0;
  for (const Candidate& candidate : candidates) {
    if (scene.fitness_of(candidate.number) > worst) continue;
    const std::int64_t load = load_of(candidate.number, scene);
    if (!full_too && load > candidate.full_above) continue;
    // load / capacity < best's, exactly
    if (best && Wide{load} * best->capacity >= Wide{best_load} * candidate.capacity) continue;
    best = &candidate;
    best_load = load;
  }
  return best;
}

Placement::Taken Placement::take(const View& view, const Scene& scene, Fitness worst) const {
  if (auto* best = least_loaded(view.own, scene, worst, false)) return {best, 1};
  if (auto* best = least_loaded(view.shared, scene, worst, false)) return {best, 2};
  if (overflow_) {
    if (auto* best = least_loaded(view.open, scene, worst, true)) return {best, 3};
  }
  if (auto* best = least_loaded(view.rest, scene, worst, false)) return {best, 4};
  if (overflow_) {
    if (auto* best = least_loaded(view.rest, scene, worst, true)) return {best, 4};
  }
  return {nullptr, 5};
}

Placement::Taken Placement::take(const View& view, const Scene& scene) const {
  const Taken taken = take(view, scene, Fitness::fit);
  return taken.candidate || scene.fitness.empty() ? taken : take(view, scene, Fitness::suspect);
}

Placement::Choice Placement::choose(std::string_view country, const Scene& scene,
                                    std::vector<Verdict>* verdicts) const {
  const View& view = view_of(country);
  const Taken taken = take(view, scene);
  Choice choice;
  if (taken.candidate) {
    choice.gateway = taken.candidate->number;
    choice.step = taken.step;
    if (taken.step == 3) choice.reason = Reason::overflow;
    if (taken.step == 4) choice.reason = Reason::borrowed;
  } else {
    const auto is_there = [&](const Candidate& candidate) {
      return scene.fitness_of(candidate.number) != Fitness::down;
    };
    const bool somebody = std::any_of(view.open.begin(), view.open.end(), is_there) ||
                          std::any_of(view.rest.begin(), view.rest.end(), is_there);
    if (somebody) choice.refusal = Refusal::capacity_exhausted;
  }
  if (verdicts) explain(country, scene, choice, known_.size(), *verdicts);
  return choice;
}

bool Placement::is_full(const Known& gateway, const Scene& scene) const {
  return load_of(gateway.number, scene) > gateway.capacity - occupancy_;
}

std::size_t Placement::explain(std::string_view country, const Scene& scene, const Choice& choice,
                               std::size_t most, std::vector<Verdict>& verdicts) const {
  const View& view = view_of(country);
  const std::size_t chosen = choice.gateway ? known_at_[*choice.gateway] : known_.size();
  // A full gateway is chosen only where all others that had their turn are full as well: then load decided.
  const bool chosen_is_full = choice.gateway && is_full(known_[chosen], scene);
  const bool suspects_had_a_turn =
      !choice.gateway || scene.fitness_of(*choice.gateway) == Fitness::suspect;
  const auto verdict_of = [&](std::size_t at) -> std::string_view {
    const Known& gateway = known_[at];
    if (!gateway.obstacle.empty()) return gateway.obstacle;
    if (at == chosen) return "chosen";
    const Fitness fitness = scene.fitness_of(gateway.number);
    if (fitness == Fitness::down) return "down";
    if (fitness == Fitness::suspect && !suspects_had_a_turn) return "suspect";
    if (view.turns[gateway.number] > choice.step) return "other_region";
    return is_full(gateway, scene) && !chosen_is_full ? "full" : "higher_load";
  };
  const std::size_t told = std::min(most, known_.size());
  for (std::size_t i = 0; i < told; ++i) {
    const bool is_last = i + 1 == told;
    const std::size_t at = is_last && choice.gateway ? std::max(i, chosen) : i;
    const Known& gateway = known_[at];
    verdicts.push_back({gateway.name, load_of(gateway.number, scene), gateway.capacity, verdict_of(at)});
  }
  return known_.size() - told;
}

bool Placement::region_serves(std::string_view country, GatewayNumber gateway) const {
  const auto it = views_.find(country);
  if (it == views_.end()) return false;
  const std::vector<GatewayNumber>& region = it->second.region;
  return std::find(region.begin(), region.end(), gateway) != region.end();
}

bool Placement::is_available(std::string_view gateway) const {
  const auto it = available_.find(gateway);
  return it != available_.end() && it->second;
}

std::vector<std::string> Placement::regions_of(std::string_view gateway) const {
  const auto it = regions_of_.find(gateway);
  return it == regions_of_.end() ? std::vector<std::string>{} : it->second;
}

}  // namespace domain
