// Choosing among a step's candidates, by how sure the loads are, and telling of it.
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

const Placement::View& Placement::view_of(std::string_view country) const {
  const auto it = views_.find(country);
  return it == views_.end() ? no_region_ : it->second;
}

bool Placement::admits(const Admission& admission, const Candidate& candidate) const {
  const Scene& scene = admission.scene;
  if (scene.fitness_of(candidate.number) > admission.worst) return false;
  return admission.full_too || load_of(candidate.number, scene) <= candidate.full_above;
}

Placement::Lowest Placement::least_loaded(const std::vector<Candidate>& candidates, const Admission& admission) const {
  Lowest lowest;
  std::int64_t lowest_load = 0;
  for (const Candidate& candidate : candidates) {
    if (!admits(admission, candidate)) continue;
    const std::int64_t load = load_of(candidate.number, admission.scene);
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
  std::uint64_t chance = admission.scene.chance;
  std::size_t before = draw(chance, equals);
  if (before == 0) return first;
  const std::int64_t load = load_of(first->number, admission.scene);
  for (const Candidate* other = first + 1;; ++other) {
    if (!admits(admission, *other)) continue;
    const std::int64_t others = load_of(other->number, admission.scene);
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
  std::uint64_t chance = admission.scene.chance;
  const std::size_t one = draw(chance, count);
  if (count == 1) return {at(one)};
  const std::size_t other = (one + 1 + draw(chance, count - 1)) % count;
  Taken taken{at(one), 0, at(other)};
  const auto load = [&](const Candidate* candidate) { return load_of(candidate->number, admission.scene); };
  if (compare(load(taken.rival), taken.rival->capacity, load(taken.candidate), taken.candidate->capacity) < 0) {
    std::swap(taken.candidate, taken.rival);
  }
  return taken;
}

Placement::Taken Placement::pick(const std::vector<Candidate>& candidates, const Admission& admission, int step) const {
  Taken taken;
  switch (admission.scene.manner) {
    case Manner::alone:
      taken.candidate = least_loaded(candidates, admission).first;
      break;
    case Manner::shared:
      taken.candidate = one_of_equals(candidates, admission);
      break;
    case Manner::unsure:
      taken = better_of_two(candidates, admission);
      break;
  }
  taken.step = taken.candidate ? step : 5;
  return taken;
}

Placement::Taken Placement::take(const View& view, const Scene& scene, Fitness worst) const {
  const Admission with_room{scene, worst, false};
  const Admission all{scene, worst, true};
  Taken taken = pick(view.own, with_room, 1);
  if (!taken.candidate) taken = pick(view.shared, with_room, 2);
  if (!taken.candidate && overflow_) taken = pick(view.open, all, 3);
  if (!taken.candidate) taken = pick(view.rest, with_room, 4);
  if (!taken.candidate && overflow_) taken = pick(view.rest, all, 4);
  return taken;
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
  choice.manner = scene.manner;
  if (taken.rival) choice.rival = taken.rival->number;
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

std::string_view Placement::passed_over(const Known& gateway, const Scene& scene, const Choice& choice) const {
  if (!choice.gateway || choice.manner == Manner::alone) return "higher_load";
  if (choice.manner == Manner::unsure && gateway.number != choice.rival) return "not_drawn";
  const Known& chosen = known_[known_at_[*choice.gateway]];
  const int against =
      compare(load_of(gateway.number, scene), gateway.capacity, load_of(chosen.number, scene), chosen.capacity);
  return against == 0 ? "not_drawn" : "higher_load";
}

std::size_t Placement::explain(std::string_view country, const Scene& scene, const Choice& choice, std::size_t most,
                               std::vector<Verdict>& verdicts) const {
  const View& view = view_of(country);
  const std::size_t chosen = choice.gateway ? known_at_[*choice.gateway] : known_.size();
  // A full gateway is chosen only where all others that had their turn are full as well: then load decided.
  const bool chosen_is_full = choice.gateway && is_full(known_[chosen], scene);
  const bool suspects_had_a_turn = !choice.gateway || scene.fitness_of(*choice.gateway) == Fitness::suspect;
  const auto verdict_of = [&](std::size_t at) -> std::string_view {
    const Known& gateway = known_[at];
    if (!gateway.obstacle.empty()) return gateway.obstacle;
    if (at == chosen) return "chosen";
    const Fitness fitness = scene.fitness_of(gateway.number);
    if (fitness == Fitness::down) return "down";
    if (fitness == Fitness::suspect && !suspects_had_a_turn) return "suspect";
    if (view.turns[gateway.number] > choice.step) return "other_region";
    return is_full(gateway, scene) && !chosen_is_full ? "full" : passed_over(gateway, scene, choice);
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

}  // namespace domain
