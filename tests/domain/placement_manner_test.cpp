// Choosing where others choose too: ties by chance, and two choices. What the steps admit stays as it is.
#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "catch.h"
#include "chance.h"
#include "domain/placement.h"

namespace {

using domain::Fitness;
using domain::GatewayNumber;
using domain::Placement;
using Manner = domain::Placement::Manner;

struct Gateway {
  std::int64_t rooms;     // already assigned
  std::int64_t capacity;  // with 10 users a room
};

// Gateways 0, 1, 2 …; IL lists those of `home`, US those of `abroad`.
struct House {
  std::vector<std::int64_t> rooms;
  std::vector<Fitness> fitness = {};
  std::optional<Placement> placement;

  House(const std::vector<Gateway>& gateways, const std::vector<int>& home = {}, const std::vector<int>& abroad = {},
        domain::WhenFull when_full = domain::WhenFull::overflow) {
    domain::Options options;
    options.avg_room_occupancy = 10;
    options.when_full = when_full;
    std::vector<domain::Gateway> rows;
    for (const Gateway& gateway : gateways) {
      domain::Gateway row;
      row.id = static_cast<std::int64_t>(rows.size()) + 1;
      row.name = std::to_string(rows.size());
      row.capacity = gateway.capacity;
      rows.push_back(row);
      rooms.push_back(gateway.rooms);
    }
    const auto add_region = [&](const std::string& country, const std::vector<int>& numbers) {
      if (numbers.empty()) return;
      std::vector<std::string> names;
      for (const int number : numbers) names.push_back(std::to_string(number));
      options.regions.push_back({country, names, ""});
    };
    add_region("IL", home);
    add_region("US", abroad);
    placement.emplace(options, domain::Catalogue(rows, {}),
                      [](const std::string& name) { return static_cast<GatewayNumber>(std::stoul(name)); });
  }

  Placement::Scene scene(Manner manner, std::uint64_t chance) const {
    Placement::Scene scene{rooms, {}, fitness};
    scene.manner = manner;
    scene.chance = chance;
    return scene;
  }
  Placement::Choice choose(Manner manner, std::uint64_t chance,
                           std::vector<domain::Verdict>* verdicts = nullptr) const {
    return placement->choose("IL", scene(manner, chance), verdicts);
  }
  // How often each is chosen.
  std::map<GatewayNumber, int> chosen(Manner manner, int times = 3000) const {
    tests::Chance chance(7);
    std::map<GatewayNumber, int> counts;
    for (int i = 0; i < times; ++i) ++counts[choose(manner, chance.number()).gateway.value()];
    return counts;
  }
  std::set<GatewayNumber> ever_chosen(Manner manner) const {
    std::set<GatewayNumber> result;
    for (const auto& [gateway, times] : chosen(manner)) result.insert(gateway);
    return result;
  }
  std::vector<std::string> verdicts(Manner manner, std::uint64_t chance) const {
    std::vector<domain::Verdict> told;
    choose(manner, chance, &told);
    std::vector<std::string> words;
    for (const auto& verdict : told) words.emplace_back(verdict.verdict);
    return words;
  }
};

using Numbers = std::set<GatewayNumber>;
using Words = std::vector<std::string>;

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t third = largest / 3;

}  // namespace

TEST_CASE("shared: equal loads are spread over all equals alike, and only over them") {
  const House house({{2, 100}, {9, 100}, {8, 400}, {2, 100}, {3, 100}, {4, 200}});
  const auto counts = house.chosen(Manner::shared, 4000);
  CHECK(counts.size() == 4);
  for (const GatewayNumber equal : {0u, 2u, 3u, 5u}) {
    CAPTURE(equal);
    CHECK(counts.at(equal) > 880);
    CHECK(counts.at(equal) < 1120);
  }
}

TEST_CASE("shared: what is chosen is never worse than alone, whatever the scene") {
  tests::Chance chance(3);
  for (int i = 0; i < 3000; ++i) {
    std::vector<Gateway> gateways;
    for (std::size_t n = chance.below(7) + 1; n > 0; --n) {
      gateways.push_back({chance.between(0, 12), 100 * chance.between(1, 2)});
    }
    const House house(gateways, {0}, {static_cast<int>(gateways.size()) - 1},
                      chance.below(2) == 0 ? domain::WhenFull::overflow : domain::WhenFull::reject);
    const auto alone = house.choose(Manner::alone, chance.number());
    for (const Manner manner : {Manner::shared, Manner::unsure}) {
      const auto choice = house.choose(manner, chance.number());
      REQUIRE(choice.gateway.has_value() == alone.gateway.has_value());
      REQUIRE(choice.step == alone.step);
      REQUIRE(choice.reason == alone.reason);
      REQUIRE(choice.refusal == alone.refusal);
      if (!choice.gateway || manner == Manner::unsure) continue;
      const Gateway& ours = gateways[*choice.gateway];
      const Gateway& best = gateways[*alone.gateway];
      REQUIRE(ours.rooms * best.capacity == best.rooms * ours.capacity);
    }
  }
}

TEST_CASE("unsure: of two by chance the less loaded relative to capacity is chosen") {
  const House house({{5, 100}, {4, 400}, {6, 100}, {7, 100}});
  tests::Chance chance(5);
  std::map<std::set<GatewayNumber>, int> pairs;
  for (int i = 0; i < 6000; ++i) {
    const auto choice = house.choose(Manner::unsure, chance.number());
    REQUIRE(choice.rival);
    REQUIRE(*choice.rival != *choice.gateway);
    constexpr int rank[] = {1, 0, 2, 3};
    REQUIRE(rank[*choice.gateway] < rank[*choice.rival]);
    ++pairs[{*choice.gateway, *choice.rival}];
  }
  CHECK(pairs.size() == 6);
  for (const auto& [pair, times] : pairs) {
    CHECK(times > 880);
    CHECK(times < 1120);
  }
}

TEST_CASE("unsure: the fullest of all is never chosen, and equals are all chosen alike") {
  CHECK(House({{5, 100}, {4, 100}, {6, 100}}).ever_chosen(Manner::unsure) == Numbers{0, 1});
  for (const auto& [gateway, times] : House({{1, 100}, {2, 200}, {1, 100}}).chosen(Manner::unsure)) {
    CHECK(times > 880);
    CHECK(times < 1120);
  }
}

TEST_CASE("a single candidate of a step is chosen in any manner and by any chance") {
  const House house({{5, 100}, {0, 100}}, {0});
  for (const Manner manner : {Manner::alone, Manner::shared, Manner::unsure}) {
    for (const std::uint64_t chance : {std::uint64_t{0}, std::uint64_t{1}, third, largest - 1, largest}) {
      const auto choice = house.choose(manner, chance);
      CHECK(choice.gateway == GatewayNumber{0});
      CHECK_FALSE(choice.rival);
    }
  }
}

TEST_CASE("every chance of 64 bits leads to a candidate") {
  const House house({{5, 100}, {5, 100}, {5, 100}});
  for (std::uint64_t bit = 1; bit != 0; bit <<= 1) {
    for (const std::uint64_t chance : {bit, bit - 1, ~bit, 0 - bit}) {
      for (const Manner manner : {Manner::shared, Manner::unsure}) CHECK(house.choose(manner, chance).gateway < 3u);
    }
  }
  CHECK(house.choose(Manner::shared, 0).gateway == GatewayNumber{0});
  CHECK(house.choose(Manner::shared, largest).gateway == GatewayNumber{2});
}

TEST_CASE("regions and steps hold where ties are by chance, and with two choices") {
  using domain::WhenFull;
  struct Case {
    const char* sentence;
    std::vector<Gateway> gateways;  // 0 and 1 are IL's, 2 and 3 nobody's, 4 and 5 of US
    WhenFull when_full;
    Numbers admitted;
    int step;
  };
  const Case cases[] = {
      {"the region comes first",
       {{9, 100}, {9, 100}, {0, 100}, {0, 100}, {0, 100}, {0, 100}},
       WhenFull::overflow,
       {0, 1},
       1},
      {"a full gateway is not drawn while another has room",
       {{10, 100}, {9, 100}, {0, 100}, {0, 100}, {0, 100}, {0, 100}},
       WhenFull::overflow,
       {1},
       1},
      {"region full: what nobody lists",
       {{10, 100}, {10, 100}, {5, 100}, {5, 100}, {0, 100}, {0, 100}},
       WhenFull::overflow,
       {2, 3},
       2},
      {"all at home full: overflow there",
       {{12, 100}, {12, 100}, {12, 100}, {12, 100}, {0, 100}, {0, 100}},
       WhenFull::overflow,
       {0, 1, 2, 3},
       3},
      {"all at home full, reject: borrowed",
       {{12, 100}, {12, 100}, {12, 100}, {12, 100}, {3, 100}, {3, 100}},
       WhenFull::reject,
       {4, 5},
       4},
      {"borrowed from one that has room",
       {{12, 100}, {12, 100}, {12, 100}, {12, 100}, {10, 100}, {3, 100}},
       WhenFull::reject,
       {5},
       4},
  };
  for (const Case& c : cases) {
    CAPTURE(c.sentence);
    const House house(c.gateways, {0, 1}, {4, 5}, c.when_full);
    for (const Manner manner : {Manner::shared, Manner::unsure}) {
      CHECK(house.ever_chosen(manner) == c.admitted);
      CHECK(house.choose(manner, third).step == c.step);
    }
  }
}

TEST_CASE("suspects are drawn only where nobody else is, and the dead never") {
  House house({{1, 100}, {1, 100}, {1, 100}, {1, 100}, {1, 100}});
  house.fitness = {Fitness::suspect, Fitness::down, Fitness::fit, Fitness::fit, Fitness::suspect};
  for (const Manner manner : {Manner::shared, Manner::unsure}) {
    house.fitness[2] = Fitness::fit;
    house.fitness[3] = Fitness::fit;
    CHECK(house.ever_chosen(manner) == Numbers{2, 3});
    house.fitness[2] = Fitness::down;
    house.fitness[3] = Fitness::down;
    CHECK(house.ever_chosen(manner) == Numbers{0, 4});
  }
}

TEST_CASE("shared: an equal that lost the lot was not drawn, any other has a higher load") {
  const House house({{2, 100}, {10, 100}, {3, 100}, {2, 100}, {0, 100}}, {0, 1, 2, 3});
  CHECK(house.verdicts(Manner::alone, largest) == Words{"chosen", "full", "higher_load", "higher_load", "no_region"});
  CHECK(house.verdicts(Manner::shared, 0) == Words{"chosen", "full", "higher_load", "not_drawn", "no_region"});
  CHECK(house.verdicts(Manner::shared, largest) == Words{"not_drawn", "full", "higher_load", "chosen", "no_region"});
}

TEST_CASE("unsure: only the other of the two can have a higher load, and the rest was not drawn") {
  const House house({{4, 100}, {10, 100}, {3, 100}, {2, 100}, {0, 100}}, {0, 1, 2, 3});
  tests::Chance chance(1);
  for (int i = 0; i < 100; ++i) {
    const auto number = chance.number();
    const auto choice = house.choose(Manner::unsure, number);
    Words expected{"not_drawn", "full", "not_drawn", "not_drawn", "no_region"};
    expected[*choice.gateway] = "chosen";
    expected[choice.rival.value()] = "higher_load";
    CHECK(house.verdicts(Manner::unsure, number) == expected);
    // Told afterwards it is the same, whatever the next choice's chance would be.
    std::vector<domain::Verdict> later;
    house.placement->explain("IL", house.scene(Manner::alone, 0), choice, 10, later);
    for (std::size_t at = 0; at < later.size(); ++at) CHECK(later[at].verdict == expected[at]);
  }
  const House equals({{4, 100}, {4, 100}});
  CHECK(equals.verdicts(Manner::unsure, 0) == Words{"chosen", "not_drawn"});
  CHECK(equals.verdicts(Manner::unsure, largest) == Words{"not_drawn", "chosen"});
}

TEST_CASE("candidates are those that may get new rooms as far as lists go") {
  const House house({{4, 100}, {4, 100}, {0, 100}}, {0}, {2});
  CHECK(house.placement->candidates() == std::vector<GatewayNumber>{0, 1, 2});
}
