#include "domain/placement.h"

#include <algorithm>
#include <set>

namespace domain {
namespace {

// Capacities come from configuration (at most this) or from SQL (anything).
constexpr std::int64_t largest_capacity = 1'000'000'000;

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

std::int64_t capacity_of(const Gateway& gateway, const Options& options) {
  return std::clamp<std::int64_t>(gateway.capacity.value_or(options.max_server_capacity), 1, largest_capacity);
}

std::string_view to_text(Reason reason) {
  switch (reason) {
    case Reason::default_gateway:
      return "default";
    case Reason::pinned:
      return "pinned";
    case Reason::sticky:
      return "sticky";
    case Reason::assigned:
      return "assigned";
    case Reason::overflow:
      return "overflow";
    case Reason::borrowed:
      return "borrowed";
    case Reason::reassigned:
      return "reassigned";
  }
  return "";
}

std::string_view code_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::room_not_found:
      return "room_not_found";
    case Refusal::default_gateway_unusable:
      return "gateway_not_found";
    case Refusal::no_gateway_available:
      return "no_gateway_available";
    case Refusal::capacity_exhausted:
      return "capacity_exhausted";
    case Refusal::storage_unavailable:
      return "storage_unavailable";
    case Refusal::too_many_sessions:
      return "too_many_sessions";
  }
  return "";
}

Placement::Placement(const Options& options, const Catalogue& catalogue, GatewayNumbers& gateways)
    : occupancy_(options.avg_room_occupancy), overflow_(options.when_full == WhenFull::overflow) {
  std::vector<Candidate> candidates;  // in the available order
  std::map<GatewayId, Candidate> by_id;
  const std::vector<std::string>& standbys = options.standby_servers;
  // Without a health source it cannot be known that the others do not live.
  const bool uses_standbys = options.health.watches();
  const auto know = [&](const Gateway& gateway, bool available) {
    if (gateway.removed) return;
    const GatewayId id = gateways.number(gateway.name);
    const std::int64_t capacity = capacity_of(gateway, options);
    const bool stands_by = !available && std::count(standbys.begin(), standbys.end(), gateway.name) > 0;
    std::string_view obstacle;
    if (gateway.disabled) {
      obstacle = "disabled";
    } else if (!gateway.serves_rooms() || !(available || stands_by)) {
      obstacle = "not_available";
    } else if (gateway.draining) {
      obstacle = "draining";
    } else if (stands_by && !uses_standbys) {
      obstacle = "standby";
    }
    known_at_.resize(std::max(known_at_.size(), index_of(id) + 1));
    known_at_[index_of(id)] = known_.size();
    known_.push_back({gateway.name, id, capacity, obstacle});
    available_[gateway.name] = available && gateway.serves_rooms();
    if (!obstacle.empty()) return;
    const Candidate candidate{id, capacity, capacity - occupancy_};
    if (stands_by) {
      standbys_.push_back(candidate);
      return;
    }
    candidates.push_back(candidate);
    by_id.emplace(id, candidate);
  };
  std::set<std::string_view> seen;
  for (const Gateway* gateway : listed(options, catalogue)) {
    if (seen.insert(gateway->name).second) know(*gateway, true);
  }
  for (const Gateway& gateway : catalogue.gateways()) {
    if (!seen.count(gateway.name)) know(gateway, false);
  }

  // In the order in which they are configured.
  const auto place_of = [&](const Candidate& candidate) {
    return std::find(standbys.begin(), standbys.end(), known_[known_at_[index_of(candidate.id)]].name);
  };
  std::sort(standbys_.begin(), standbys_.end(),
            [&](const Candidate& a, const Candidate& b) { return place_of(a) < place_of(b); });

  std::map<GatewayId, std::set<std::string>> lists;  // which regions list a gateway
  for (const Region& region : options.regions) {
    for (const std::string& name : region.gateways) {
      lists[gateways.number(name)].insert(region.country);
      regions_of_[name].push_back(region.country);
    }
  }
  const auto fill = [&](Candidates& by_step, const std::string& country) {
    for (const Candidate& candidate : candidates) {
      const auto by = lists.find(candidate.id);
      const bool own = by != lists.end() && by->second.count(country);
      const bool shared = by == lists.end() || by->second.empty() || (own && by->second.size() == 1);
      if (!own && shared) by_step.shared.push_back(candidate);
      (own || shared ? by_step.open : by_step.rest).push_back(candidate);
    }
    by_step.step_of.assign(known_at_.size(), 2);
    for (const Candidate& candidate : by_step.rest) by_step.step_of[index_of(candidate.id)] = 4;
    for (const Candidate& candidate : by_step.own) by_step.step_of[index_of(candidate.id)] = 1;
    for (const Candidate& candidate : standbys_) by_step.step_of[index_of(candidate.id)] = 5;
  };
  fill(candidates_without_region_, "");
  for (const Region& region : options.regions) {
    Candidates& by_step = candidates_by_country_[region.country];
    for (const std::string& name : region.gateways) {
      const GatewayId id = gateways.number(name);
      by_step.region.push_back(id);
      if (const auto it = by_id.find(id); it != by_id.end()) by_step.own.push_back(it->second);
    }
    fill(by_step, region.country);
  }
}

std::vector<GatewayId> Placement::candidates() const {
  std::vector<GatewayId> ids;
  for (const Known& gateway : known_) {
    if (gateway.obstacle.empty() && available_.at(gateway.name)) ids.push_back(gateway.id);
  }
  return ids;
}

const Placement::Candidates* Placement::find_region(std::string_view country) const {
  auto it = candidates_by_country_.find(country);
  if (it == candidates_by_country_.end()) it = candidates_by_country_.find(other_countries);
  return it == candidates_by_country_.end() ? nullptr : &it->second;
}

bool Placement::region_serves(std::string_view country, GatewayId gateway) const {
  const Candidates* const found = find_region(country);
  if (!found) return false;
  const std::vector<GatewayId>& region = found->region;
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
