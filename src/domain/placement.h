// Where a new room goes: the steps of the contract, as a pure function that also explains itself.
// A Placement is immutable once built; any thread may read it. It fails only by finding no gateway.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/catalogue.h"
#include "domain/gateway_numbers.h"
#include "domain/options.h"

namespace domain {

// May a gateway get new rooms, by what is known of its health? The better ones first.
enum class Fitness : std::uint8_t {
  fit,
  unknown,  // as fit, but no standby that is known to live
  suspect,  // after all others of its step
  doubted,  // down, while the brake holds: as suspect, but after a standby that lives
  down,     // not at all
};

enum class Reason { default_gateway, pinned, sticky, assigned, overflow, borrowed, reassigned };
std::string_view to_text(Reason reason);

enum class Refusal {
  room_not_found,
  default_gateway_unusable,  // legacy: the pin's or the room's gateway is missing, disabled, …
  no_gateway_available,
  capacity_exhausted,
  storage_unavailable,
  too_many_sessions,
};
std::string_view code_of(Refusal refusal);

// What became of a gateway in one decision.
struct Verdict {
  std::string name;
  std::int64_t load;      // users
  std::int64_t capacity;  // users
  std::string_view verdict;
};

// In users, from 1 to a thousand million: what SQL says may be anything.
std::int64_t capacity_of(const Gateway& gateway, const Options& options);

class Placement {
 public:
  // Numbers the gateways of the catalogue and of the regions.
  Placement(const Options& options, const Catalogue& catalogue, GatewayNumbers& gateways);

  // How sure the loads are, which decides among the candidates of a step. The order that decides ties is the region's
  // in step 1, and that of available_servers in the others.
  enum class Selection : std::uint8_t {
    least_loaded,  // nobody else places rooms: the lowest load, ties go to the one listed first
    random_ties,   // others do, and are seen at once: the lowest load, ties by chance
    two_choices,   // others do, unseen for a while: of two by chance the less loaded
  };

  struct Choice {
    std::optional<GatewayId> gateway;
    int step = 5;  // the one that had it, or the last that was tried
    Reason reason = Reason::assigned;
    Refusal refusal = Refusal::no_gateway_available;  // if there is no gateway
    Selection selection = Selection::least_loaded;    // in which it was made
    std::optional<GatewayId> rival = {};              // the other of the two choices
    Fitness worst = Fitness::doubted;                 // that was admitted
  };

  // What changes from one choice to the next, by GatewayId.
  struct Loads {
    std::span<const std::int64_t> rooms;              // assigned
    std::span<const std::int64_t> excess_users = {};  // users above their rooms' average; none: not counted
    std::span<const Fitness> fitness = {};            // those beyond its end are fit
    Selection selection = Selection::least_loaded;
    std::uint64_t chance = 0;          // all 64 bits by chance, fresh for each choice; alone needs none
    Fitness worst = Fitness::doubted;  // those that are worse get nothing

    std::int64_t rooms_on(GatewayId gateway) const { return value_of(rooms, gateway, std::int64_t{0}); }
    Fitness fitness_of(GatewayId gateway) const { return value_of(fitness, gateway, Fitness::fit); }
  };

  // `country`: upper case; one without a region, or none, has the region "*", if there is that. With `verdicts`,
  // reports what became of every gateway that is not removed.
  Choice choose(std::string_view country, const Loads& loads, std::vector<Verdict>* verdicts = nullptr) const;
  // What became of each gateway when that was chosen, by the same loads; of so many at most, among them the
  // chosen one. Returns how many were left out.
  std::size_t explain(std::string_view country, const Loads& loads, const Choice& choice, std::size_t most,
                      std::vector<Verdict>& verdicts) const;

  // In users, as it is compared and shown.
  std::int64_t load_of(GatewayId gateway, const Loads& loads) const {
    return loads.rooms_on(gateway) * occupancy_ + value_of(loads.excess_users, gateway, std::int64_t{0});
  }

  std::size_t size() const { return known_.size(); }  // gateways that have a verdict
  std::vector<GatewayId> candidates() const;          // that may get new rooms, if health lets them
  bool has_region(std::string_view country) const { return find_region(country) != nullptr; }
  bool region_serves(std::string_view country, GatewayId gateway) const;
  bool is_available(std::string_view gateway) const;  // named by the list, or by default
  std::vector<std::string> regions_of(std::string_view gateway) const;

 private:
  struct Candidate {
    GatewayId id;
    std::int64_t capacity;
    std::int64_t full_above;  // load above which another room would exceed the capacity
  };
  // The candidates as seen from one country.
  struct Candidates {
    std::vector<Candidate> own;         // the region's, in its order
    std::vector<Candidate> shared;      // that no other region lists, in the available order
    std::vector<Candidate> open;        // both kinds, in the available order
    std::vector<Candidate> rest;        // what only other regions list, in the available order
    std::vector<GatewayId> region;      // all that the region lists, candidate or not
    std::vector<std::uint8_t> step_of;  // by GatewayId: the step that would take it, had it room: 1, 2, 4 or 5
  };
  struct Known {  // every gateway that is not removed, for the verdicts
    std::string name;
    GatewayId id;
    std::int64_t capacity;
    std::string_view obstacle;  // why it is no candidate, or empty
  };

  struct Taken {  // by the first step that has a candidate
    const Candidate* candidate = nullptr;
    int step = 0;
    const Candidate* rival = nullptr;
  };
  struct Admission {  // to a step
    const Loads& loads;
    Fitness best;
    Fitness worst;
    bool full_too;
  };
  struct Lowest {
    const Candidate* first = nullptr;
    std::size_t equals = 0;  // itself counted
  };

  const Candidates* find_region(std::string_view country) const;
  const Candidates& candidates_for(std::string_view country) const;
  Taken take(const Candidates& by_step, const Loads& loads) const;
  Taken take_listed(const Candidates& by_step, const Loads& loads) const;
  Taken take_standby(const Loads& loads, Fitness worst) const;
  bool is_any(const Candidates& by_step, const Loads& loads, Fitness worst) const;  // a listed one, no worse than that
  // With room, and full ones too: those that are fit first.
  Taken pick(const std::vector<Candidate>& candidates, const Loads& loads, bool full_too, int step) const;
  Taken pick(const std::vector<Candidate>& candidates, const Admission& admission, int step) const;
  Lowest least_loaded(const std::vector<Candidate>& candidates, const Admission& admission) const;
  const Candidate* one_of_equals(const std::vector<Candidate>& candidates, const Admission& admission) const;
  Taken better_of_two(const std::vector<Candidate>& candidates, const Admission& admission) const;
  bool admits(const Admission& admission, const Candidate& candidate) const;
  bool is_full(const Known& gateway, const Loads& loads) const;
  // The verdict on a gateway that had its turn and was not full either.
  std::string_view passed_over(const Known& gateway, const Loads& loads, const Choice& choice) const;
  std::int64_t occupancy_ = 1;
  bool overflow_ = true;
  std::map<std::string, Candidates, std::less<>> candidates_by_country_;
  Candidates candidates_without_region_;
  std::vector<Candidate> standbys_;  // that are not listed and may get rooms, in their order
  std::vector<Known> known_;
  std::vector<std::size_t> known_at_;  // by GatewayId
  std::map<std::string, std::vector<std::string>, std::less<>> regions_of_;
  std::map<std::string, bool, std::less<>> available_;
};

}  // namespace domain
