// The steps with health and standby servers, written a second time without regard to speed, and a check of each
// verdict. Random fleets, many of them small, take every way through the steps.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "catch.h"
#include "chance.h"
#include "domain/placement.h"

namespace {

using domain::Fitness;
using domain::GatewayId;
using domain::Placement;
using domain::Reason;

constexpr std::int64_t room = 10;  // users

struct Gateway {
  bool listed = true, stands_by = false, draining = false, disabled = false;
  std::int64_t rooms = 0;
  std::int64_t capacity = 20;
  Fitness fitness = Fitness::fit;
  std::set<std::string> regions = {};

  std::int64_t load() const { return rooms * room; }
  bool is_full() const { return load() + room > capacity; }
  bool may(bool standby) const { return !draining && !disabled && (standby ? !listed && stands_by : listed); }
  bool is_behind() const { return fitness == Fitness::suspect || fitness == Fitness::doubted; }
};

struct Reported {
  std::optional<std::size_t> gateway;
  Reason reason = Reason::assigned;
  bool is_refused_for_load = false;
};

struct World {
  std::vector<Gateway> gateways;
  std::string country;
  bool overflow = true;
  bool to_move = false;

  explicit World(tests::Chance& chance) {
    const char* const countries[] = {"IL", "US", "FR", ""};  // FR has no region
    country = countries[chance.below(4)];
    overflow = chance.below(2) == 0;
    to_move = chance.below(4) == 0;
    const bool brakes = chance.below(2) == 0;
    const bool dying = chance.below(2) == 0;
    gateways.resize(chance.below(6));
    for (Gateway& gateway : gateways) {
      gateway.listed = chance.below(3) > 0;
      gateway.stands_by = chance.below(2) == 0;
      gateway.draining = chance.below(6) == 0;
      gateway.disabled = chance.below(8) == 0;
      gateway.rooms = chance.between(0, 3);
      gateway.capacity = 10 * chance.between(1, 3);
      const Fitness down = brakes ? Fitness::doubted : Fitness::down;
      const Fitness all[] = {Fitness::fit, Fitness::unknown, Fitness::suspect, down};
      gateway.fitness = dying && chance.below(4) > 0 ? down : all[chance.below(4)];
      for (const char* region : {"IL", "US"}) {
        if (chance.below(3) == 0) gateway.regions.insert(region);
      }
    }
  }

  bool is_down(const Gateway& gateway) const {
    return gateway.fitness == Fitness::down || (to_move && gateway.fitness == Fitness::doubted);
  }
  bool serves(const Gateway& gateway) const { return gateway.regions.count(country) > 0; }
  bool is_anothers(const Gateway& gateway) const { return gateway.regions.size() > (serves(gateway) ? 1u : 0u); }

  template <typename Wanted>
  std::optional<std::size_t> lowest(const Wanted& wanted) const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < gateways.size(); ++i) {
      if (!wanted(gateways[i])) continue;
      const auto& one = gateways[i];
      if (!best || one.load() * gateways[*best].capacity < gateways[*best].load() * one.capacity) best = i;
    }
    return best;
  }

  // Suspect gateways come last; in either group those with free capacity come first, if required.
  template <typename Of>
  std::optional<std::size_t> step(const Of& of, std::initializer_list<bool> full_too) const {
    for (const bool behind : {false, true}) {
      for (const bool full : full_too) {
        const auto found = lowest([&](const Gateway& gateway) {
          return of(gateway) && !is_down(gateway) && gateway.is_behind() == behind && (full || !gateway.is_full());
        });
        if (found) return found;
      }
    }
    return std::nullopt;
  }

  std::optional<std::size_t> standby(Fitness from, Fitness to) const {
    for (const bool full : {false, true}) {
      if (full && !overflow) break;
      const auto found = lowest([&](const Gateway& gateway) {
        const bool is_so = gateway.fitness >= from && gateway.fitness <= to;
        return gateway.may(true) && is_so && !is_down(gateway) && (full || !gateway.is_full());
      });
      if (found) return found;
    }
    return std::nullopt;
  }

  Reported reported() const {
    const auto own = [&](const Gateway& gateway) { return gateway.may(false) && serves(gateway); };
    const auto shared = [&](const Gateway& gateway) { return gateway.may(false) && !is_anothers(gateway); };
    const auto both = [&](const Gateway& gateway) { return own(gateway) || shared(gateway); };
    const auto rest = [&](const Gateway& gateway) { return gateway.may(false) && !both(gateway); };
    Reported reported;
    reported.gateway = step(own, {false});
    if (!reported.gateway) reported.gateway = step(shared, {false});
    if (!reported.gateway && overflow) {
      reported.gateway = step(both, {true});
      reported.reason = Reason::overflow;
    }
    if (!reported.gateway) {
      reported.gateway = overflow ? step(rest, {false, true}) : step(rest, {false});
      reported.reason = Reason::borrowed;
    }
    const bool lives = std::any_of(gateways.begin(), gateways.end(), [](const Gateway& gateway) {
      return gateway.may(false) && gateway.fitness <= Fitness::suspect;
    });
    if (!lives) {
      auto found = standby(Fitness::fit, Fitness::fit);
      if (!found) found = standby(Fitness::unknown, Fitness::suspect);
      if (!found && !reported.gateway) found = standby(Fitness::doubted, Fitness::doubted);
      if (found) reported = {found, Reason::borrowed};
    }
    reported.is_refused_for_load = std::any_of(gateways.begin(), gateways.end(), [&](const Gateway& gateway) {
      return (gateway.may(false) || gateway.may(true)) && !is_down(gateway);
    });
    return reported;
  }

  // Is that true of the gateway?
  bool holds(const Gateway& gateway, std::string_view verdict, const Reported& answer) const {
    const Gateway* chosen = answer.gateway ? &gateways[*answer.gateway] : nullptr;
    const bool is_candidate = gateway.may(false) || gateway.may(true);
    if (verdict == "chosen") return chosen == &gateway;
    if (verdict == "disabled") return gateway.disabled;
    if (verdict == "not_available") return !gateway.listed && !gateway.stands_by;
    if (verdict == "draining") return gateway.draining;
    if (!is_candidate) return false;
    if (verdict == "standby") return gateway.may(true) && (!chosen || chosen->may(false));
    if (verdict == "down") return gateway.fitness == Fitness::down || gateway.fitness == Fitness::doubted;
    if (is_down(gateway)) return false;
    if (verdict == "full") return gateway.is_full() && !(chosen && chosen->is_full());
    if (verdict == "no_region") return gateway.regions.empty() && chosen && serves(*chosen);
    if (verdict == "other_region") return !gateway.regions.empty() && !serves(gateway) && chosen;
    if (verdict == "suspect") return gateway.fitness != Fitness::fit && chosen && chosen->fitness <= Fitness::unknown;
    // The load has decided between two gateways that were equal otherwise.
    return verdict == "higher_load" && chosen && gateway.load() * chosen->capacity >= chosen->load() * gateway.capacity;
  }
};

}  // namespace

TEST_CASE("whatever the fleet, a room is placed as the steps say, and each verdict is true") {
  tests::Chance chance(11);
  std::map<std::string, int> seen;
  for (int i = 0; i < 40'000; ++i) {
    const World world(chance);
    domain::Options options;
    options.avg_room_occupancy = room;
    options.when_full = world.overflow ? domain::WhenFull::overflow : domain::WhenFull::reject;
    options.health.http = true;
    options.available_servers.emplace();
    std::map<std::string, std::vector<std::string>> regions;
    std::vector<domain::Gateway> rows;
    std::vector<std::int64_t> rooms;
    std::vector<Fitness> fitness;
    for (const Gateway& gateway : world.gateways) {
      domain::Gateway& row = rows.emplace_back();
      row.name = std::to_string(rows.size() - 1);
      row.id = domain::RowId(static_cast<std::int64_t>(rows.size()));
      row.capacity = gateway.capacity;
      row.draining = gateway.draining;
      row.disabled = gateway.disabled;
      if (gateway.listed) options.available_servers->push_back(row.name);
      if (gateway.stands_by) options.standby_servers.push_back(row.name);
      for (const std::string& region : gateway.regions) regions[region].push_back(row.name);
      rooms.push_back(gateway.rooms);
      fitness.push_back(gateway.fitness);
    }
    for (const auto& [country, names] : regions) options.regions.push_back({country, names, ""});
    domain::GatewayNumbers names;
    for (const auto& row : rows) names.number(row.name);
    const Placement placement(options, domain::Catalogue(rows, {}), names);
    Placement::Loads loads{rooms, {}, fitness};
    if (world.to_move) loads.worst = Fitness::suspect;
    std::vector<domain::Verdict> verdicts;
    const auto choice = placement.choose(world.country, loads, &verdicts);
    const Reported reported = world.reported();
    CAPTURE(i);
    REQUIRE(choice.gateway.has_value() == reported.gateway.has_value());
    if (choice.gateway) {
      REQUIRE(index_of(*choice.gateway) == *reported.gateway);
      REQUIRE(choice.reason == reported.reason);
    } else {
      REQUIRE((choice.refusal == domain::Refusal::capacity_exhausted) == reported.is_refused_for_load);
    }
    REQUIRE(verdicts.size() == world.gateways.size());
    for (const domain::Verdict& verdict : verdicts) {
      CAPTURE(verdict.name, std::string(verdict.verdict));
      REQUIRE(world.holds(world.gateways[std::stoul(verdict.name)], verdict.verdict, reported));
      ++seen[std::string(verdict.verdict)];
    }
  }
  for (const char* word : {"chosen", "higher_load", "full", "other_region", "no_region", "draining", "disabled", "down",
                           "suspect", "not_available", "standby"}) {
    CAPTURE(word);
    CHECK(seen[word] > 100);
  }
}

TEST_CASE("a standby server stays a standby without a health source") {
  domain::Options options;
  options.available_servers.emplace();
  options.standby_servers = {"0"};
  domain::Gateway row;
  row.name = "0";
  domain::GatewayNumbers names;
  const Placement placement(options, domain::Catalogue({row}, {}), names);
  const std::vector<std::int64_t> rooms{0};
  std::vector<domain::Verdict> verdicts;
  const auto choice = placement.choose("", {rooms}, &verdicts);
  CHECK(choice.refusal == domain::Refusal::no_gateway_available);
  REQUIRE(verdicts.size() == 1);
  CHECK(verdicts[0].verdict == "standby");
}
