// Choosing among a step's candidates, by how sure the loads are, and explaining the choice.
#include <algorithm>
#include <utility>

#include "domain/placement.h"

namespace domain {
namespace {

__extension__ using Wide = __int128;  // load × capacity
__extension__ using UnsignedWide = unsigned __int128;

// One of `count` by chance. What is left of the number serves for the next draw.
std::size_t draw(std::uint64_t& chance, std::size_t count) {
  const auto product = UnsignedWide{chance} * count;
  chance = static_cast<std::uint64_t>(product);
  return static_cast<std::size_t>(product >> 64);
}

// How load / capacity compares, exactly: below 0 if the first's is lower.
int compare(std::int64_t load, std::int64_t capacity, std::int64_t other_load, std::int64_t other_capacity) {
  const Wide ours = Wide{load} * other_capacity;
  const Wide theirs = Wide{other_load} * capacity;
  return ours < theirs ? -1 : ours > theirs ? 1 : 0;
}

}  // namespace

const Placement::Candidates& Placement::candidates_for(std::string_view country) const {
  const Candidates* const region = find_region(country);
  return region ? *region : candidates_without_region_;
}

bool Placement::admits(const Admission& admission, const Candidate& candidate) const {
  const Loads& loads = admission.loads;
  const Fitness fitness = loads.fitness_of(candidate.id);
  if (fitness < admission.best || fitness > admission.worst) return false;
  return admission.full_too || load_of(candidate.id, loads) <= candidate.full_above;
}

Placement::Lowest Placement::least_loaded(const std::vector<Candidate>& candidates, const Admission& admission) const {
  Lowest lowest;
  std::int64_t lowest_load = 0;
  for (const Candidate& candidate : candidates) {
    if (!admits(admission, candidate)) continue;
    const std::int64_t load = load_of(candidate.id, admission.loads);
    const int against = lowest.first ? compare(load, candidate.capacity, lowest_load, lowest.first->capacity) : -1;
    if (against > 0) continue;
    if (against == 0) {
      ++lowest.equals;
      continue;
    }
    lowest = {&candidate, 1};
    lowest_load = load;
  }
  return lowest;
}

const Placement::Candidate* Placement::one_of_equals(const std::vector<Candidate>& candidates,
                                                     const Admission& admission) const {
  const auto [first, equals] = least_loaded(candidates, admission);
  if (equals < 2) return first;
  std::uint64_t chance = admission.loads.chance;
  std::size_t before = draw(chance, equals);
  if (before == 0) return first;
  const std::int64_t load = load_of(first->id, admission.loads);
  for (const Candidate* other = first + 1;; ++other) {
    if (!admits(admission, *other)) continue;
    const std::int64_t others = load_of(other->id, admission.loads);
    if (compare(others, other->capacity, load, first->capacity) == 0 && --before == 0) return other;
  }
}

Placement::Taken Placement::better_of_two(const std::vector<Candidate>& candidates, const Admission& admission) const {
  const auto admitted = [&](const Candidate& candidate) { return admits(admission, candidate); };
  const auto count = static_cast<std::size_t>(std::count_if(candidates.begin(), candidates.end(), admitted));
  const auto at = [&](std::size_t before) {
    auto it = std::find_if(candidates.begin(), candidates.end(), admitted);
    while (before-- > 0) it = std::find_if(it + 1, candidates.end(), admitted);
    return &*it;
  };
  if (count == 0) return {};
  std::uint64_t chance = admission.loads.chance;
  const std::size_t one = draw(chance, count);
  if (count == 1) return {at(one)};
  const std::size_t other = (one + 1 + draw(chance, count - 1)) % count;
  Taken taken{at(one), 0, at(other)};
  const auto load = [&](const Candidate* candidate) { return load_of(candidate->id, admission.loads); };
  if (compare(load(taken.rival), taken.rival->capacity, load(taken.candidate), taken.candidate->capacity) < 0) {
    std::swap(taken.candidate, taken.rival);
  }
  return taken;
}

Placement::Taken Placement::pick(const std::vector<Candidate>& candidates, const Admission& admission, int step) const {
  Taken taken;
  switch (admission.loads.selection) {
    case Selection::least_loaded:
      taken.candidate = least_loaded(candidates, admission).first;
      break;
    case Selection::random_ties:
      taken.candidate = one_of_equals(candidates, admission);
      break;
    case Selection::two_choices:
      taken = better_of_two(candidates, admission);
      break;
  }
  taken.step = step;
  return taken;
}

Placement::Taken Placement::pick(const std::vector<Candidate>& candidates, const Loads& loads, bool full_too,
                                 int step) const {
  const Taken taken = pick(candidates, {loads, Fitness::fit, Fitness::unknown, full_too}, step);
  if (taken.candidate || loads.fitness.empty()) return taken;
  return pick(candidates, {loads, Fitness::suspect, loads.worst, full_too}, step);
}

Placement::Taken Placement::take_listed(const Candidates& by_step, const Loads& loads) const {
  Taken taken = pick(by_step.own, loads, false, 1);
  if (!taken.candidate) taken = pick(by_step.shared, loads, false, 2);
  if (!taken.candidate && overflow_) taken = pick(by_step.open, loads, true, 3);
  if (!taken.candidate) taken = pick(by_step.rest, {loads, Fitness::fit, Fitness::unknown, false}, 4);
  if (!taken.candidate && overflow_) taken = pick(by_step.rest, {loads, Fitness::fit, Fitness::unknown, true}, 4);
  if (!taken.candidate) taken = pick(by_step.rest, loads, false, 4);
  if (!taken.candidate && overflow_) taken = pick(by_step.rest, loads, true, 4);
  return taken;
}

// One that is known to live, else any that may.
Placement::Taken Placement::take_standby(const Loads& loads, Fitness worst) const {
  Taken taken;
  for (const auto& [best, last] : {std::pair(Fitness::fit, Fitness::fit), std::pair(Fitness::unknown, worst)}) {
    if (!taken.candidate) taken = pick(standbys_, {loads, best, last, false}, 5);
    if (!taken.candidate && overflow_) taken = pick(standbys_, {loads, best, last, true}, 5);
  }
  return taken;
}

bool Placement::is_any(const Candidates& by_step, const Loads& loads, Fitness worst) const {
  const auto is_it = [&](const Candidate& candidate) { return loads.fitness_of(candidate.id) <= worst; };
  return std::any_of(by_step.open.begin(), by_step.open.end(), is_it) ||
         std::any_of(by_step.rest.begin(), by_step.rest.end(), is_it);
}

Placement::Taken Placement::take(const Candidates& by_step, const Loads& loads) const {
  const Taken listed = take_listed(by_step, loads);
  const bool lives = listed.candidate && loads.fitness_of(listed.candidate->id) <= Fitness::suspect;
  if (lives || standbys_.empty() || is_any(by_step, loads, Fitness::suspect)) return listed;
  const Taken standby = take_standby(loads, Fitness::suspect);
  if (standby.candidate || listed.candidate) return standby.candidate ? standby : listed;
  return take_standby(loads, loads.worst);
}

Placement::Choice Placement::choose(std::string_view country, const Loads& loads,
                                    std::vector<Verdict>* verdicts) const {
  const Candidates& by_step = candidates_for(country);
  const Taken taken = take(by_step, loads);
  Choice choice;
  choice.selection = loads.selection;
  choice.worst = loads.worst;
  if (taken.rival) choice.rival = taken.rival->id;
  if (taken.candidate) {
    choice.gateway = taken.candidate->id;
    choice.step = taken.step;
    if (taken.step == 3) choice.reason = Reason::overflow;
    if (taken.step > 3) choice.reason = Reason::borrowed;
  } else {
    const bool lives = is_any(by_step, loads, Fitness::suspect);
    const bool may_stand_by = std::any_of(standbys_.begin(), standbys_.end(), [&](const Candidate& candidate) {
      return loads.fitness_of(candidate.id) <= loads.worst;
    });
    if (lives) choice.step = 4;
    if (lives || may_stand_by || is_any(by_step, loads, loads.worst)) choice.refusal = Refusal::capacity_exhausted;
  }
  if (verdicts) explain(country, loads, choice, known_.size(), *verdicts);
  return choice;
}

bool Placement::is_full(const Known& gateway, const Loads& loads) const {
  return load_of(gateway.id, loads) > gateway.capacity - occupancy_;
}

std::string_view Placement::passed_over(const Known& gateway, const Loads& loads, const Choice& choice) const {
  if (!choice.gateway || choice.selection == Selection::least_loaded) return "higher_load";
  if (choice.selection == Selection::two_choices && gateway.id != choice.rival) return "not_drawn";
  const Known& chosen = known_[known_at_[index_of(*choice.gateway)]];
  const int against = compare(load_of(gateway.id, loads), gateway.capacity, load_of(chosen.id, loads), chosen.capacity);
  return against == 0 ? "not_drawn" : "higher_load";
}

std::size_t Placement::explain(std::string_view country, const Loads& loads, const Choice& choice, std::size_t most,
                               std::vector<Verdict>& verdicts) const {
  const Candidates& by_step = candidates_for(country);
  const std::size_t chosen = choice.gateway ? known_at_[index_of(*choice.gateway)] : known_.size();
  // A full gateway is chosen only where all others that had their turn are full as well: then load decided.
  const bool chosen_is_full = choice.gateway && is_full(known_[chosen], loads);
  const auto is_behind = [&](Fitness fitness) {
    return fitness > (choice.step == 5 ? Fitness::fit : Fitness::unknown);
  };
  const bool chosen_is_behind = !choice.gateway || is_behind(loads.fitness_of(*choice.gateway));
  // A standby took it since it lives.
  const bool living_only = choice.gateway && choice.step == 5 && loads.fitness_of(*choice.gateway) <= Fitness::suspect;
  const auto verdict_of = [&](std::size_t at) -> std::string_view {
    const Known& gateway = known_[at];
    if (!gateway.obstacle.empty()) return gateway.obstacle;
    if (at == chosen) return "chosen";
    const int step = by_step.step_of[index_of(gateway.id)];
    if (step == 5 && choice.step < 5) return "standby";
    const Fitness fitness = loads.fitness_of(gateway.id);
    if (fitness > choice.worst || (fitness == Fitness::doubted && living_only)) return "down";
    if (step > choice.step) return step == 2 ? "no_region" : "other_region";
    if (is_full(gateway, loads) && !chosen_is_full) return "full";
    return is_behind(fitness) && !chosen_is_behind ? "suspect" : passed_over(gateway, loads, choice);
  };
  const std::size_t shown = std::min(most, known_.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const bool is_last = i + 1 == shown;
    const std::size_t at = is_last && choice.gateway ? std::max(i, chosen) : i;
    const Known& gateway = known_[at];
    verdicts.push_back({gateway.name, load_of(gateway.id, loads), gateway.capacity, verdict_of(at)});
  }
  return known_.size() - shown;
}

}  // namespace domain
