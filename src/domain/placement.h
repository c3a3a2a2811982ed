// Where a new room goes: the five steps of the contract, as a pure function that also explains itself.
// A Placement is immutable once built; any thread may read it. It fails only by finding no gateway.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/catalogue.h"
#include "domain/options.h"

namespace domain {

// A gateway's number in the ledger, which counts the rooms assigned to each.
using GatewayNumber = std::uint32_t;

enum class Reason { default_gateway, pinned, sticky, assigned, overflow, borrowed, reassigned };
std::string_view to_text(Reason reason);

enum class Refusal {
  room_not_found,
  default_gateway_unusable,  // legacy: the pin's or the room's gateway is missing, disabled, …
  no_gateway_available,
  capacity_exhausted,
  storage_unavailable,
};
std::string_view code_of(Refusal refusal);

// What became of a gateway in one decision.
struct Verdict {
  std::string name;
  std::int64_t load;      // users: assigned rooms × avg_room_occupancy
  std::int64_t capacity;  // users
  std::string_view verdict;
};

class Placement {
 public:
  using Numbering = std::function<GatewayNumber(const std::string& gateway)>;

  Placement() = default;
  Placement(const Options& options, const Catalogue& catalogue, const Numbering& number_of);

  struct Choice {
    std::optional<GatewayNumber> gateway;
    Reason reason = Reason::assigned;
    Refusal refusal = Refusal::no_gateway_available;  // if there is no gateway
  };

  // `country`: upper case; one without a region counts as none. `rooms`: assigned rooms by
  // GatewayNumber. With `verdicts`, tells of every gateway that is not removed what became of it.
  Choice choose(std::string_view country, std::span<const std::int64_t> rooms,
                std::vector<Verdict>* verdicts = nullptr) const;

  bool region_serves(std::string_view country, GatewayNumber gateway) const;
  bool is_available(std::string_view gateway) const;             // named by the list, or by default
  std::vector<std::string> regions_of(std::string_view gateway) const;

 private:
  struct Candidate {
    GatewayNumber number;
    std::int64_t capacity;
    std::int64_t full_at;  // assigned rooms from which on another one would exceed the capacity
  };
  // The candidates as seen from one country.
  struct View {
    std::vector<Candidate> own;     // the region's, in its order
    std::vector<Candidate> shared;  // that no other region lists, in the available order
    std::vector<Candidate> open;    // both kinds, in the available order
    std::vector<Candidate> rest;    // what only other regions list, in the available order
    std::vector<GatewayNumber> region;  // all that the region lists, candidate or not
  };
  struct Known {  // every gateway that is not removed, for the verdicts
    std::string name;
    GatewayNumber number;
    std::int64_t capacity;
    std::string_view obstacle;  // why it is no candidate, or empty
  };

  const View& view_of(std::string_view country) const;
  void explain(const View& view, int step, const Choice& choice, std::span<const std::int64_t> rooms,
               std::vector<Verdict>& verdicts) const;

  std::int64_t occupancy_ = 1;
  bool overflow_ = true;
  std::map<std::string, View, std::less<>> views_;
  View no_region_;
  std::vector<Known> known_;
  std::map<std::string, std::vector<std::string>, std::less<>> regions_of_;
  std::map<std::string, bool, std::less<>> available_;
};

}  // namespace domain
