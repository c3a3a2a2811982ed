// Selection beside other sidecars: random ties, and two choices. The steps' candidates stay the same.
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
using domain::GatewayId;
using domain::Placement;
using Selection = domain::Placement::Selection;

struct Gateway {
  std::int64_t rooms;     // already assigned
  std::int64_t capacity;  // with 10 users a room
};

// Gateways 0, 1, 2 …; IL lists those of `home`, US those of `abroad`.
struct Fixture {
  std::vector<std::int64_t> rooms;
  std::vector<Fitness> fitness = {};
  std::optional<Placement> placement;

  Fixture(const std::vector<Gateway>& gateways, const std::vector<int>& home = {}, const std::vector<int>& abroad = {},
          domain::WhenFull when_full = domain::WhenFull::overflow) {
    domain::Options options;
    options.avg_room_occupancy = 10;
    options.when_full = when_full;
    std::vector<domain::Gateway> rows;
    for (const Gateway& gateway : gateways) {
      domain::Gateway row;
      row.id = domain::RowId(static_cast<std::int64_t>(rows.size()) + 1);
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
    domain::GatewayNumbers names;
    for (const auto& row : rows) names.number(row.name);
    placement.emplace(options, domain::Catalogue(rows, {}), names);
  }

  Placement::Loads loads(Selection selection, std::uint64_t chance) const {
    Placement::Loads loads{rooms, {}, fitness};
    loads.selection = selection;
    loads.chance = chance;
    return loads;
  }
  Placement::Choice choose(Selection selection, std::uint64_t chance,
                           std::vector<domain::Verdict>* verdicts = nullptr) const {
    return placement->choose("IL", loads(selection, chance), verdicts);
  }
  // How often each is chosen.
  std::map<std::size_t, int> chosen(Selection selection, int times = 3000) const {
    tests::Chance chance(7);
    std::map<std::size_t, int> counts;
    for (int i = 0; i < times; ++i) ++counts[index_of(choose(selection, chance.number()).gateway.value())];
    return counts;
  }
  std::set<std::size_t> ever_chosen(Selection selection) const {
    std::set<std::size_t> result;
    for (const auto& [gateway, times] : chosen(selection)) result.insert(gateway);
    return result;
  }
  std::vector<std::string> verdicts(Selection selection, std::uint64_t chance) const {
    std::vector<domain::Verdict> reported;
    choose(selection, chance, &reported);
    std::vector<std::string> words;
    for (const auto& verdict : reported) words.emplace_back(verdict.verdict);
    return words;
  }
};

using Numbers = std::set<std::size_t>;
using Words = std::vector<std::string>;

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t third = largest / 3;

}  // namespace

TEST_CASE("random_ties: equal loads are spread over all equals alike, and only over them") {
  const Fixture fixture({{2, 100}, {9, 100}, {8, 400}, {2, 100}, {3, 100}, {4, 200}});
  const auto counts = fixture.chosen(Selection::random_ties, 4000);
  CHECK(counts.size() == 4);
  for (const std::size_t equal : {0u, 2u, 3u, 5u}) {
    CAPTURE(equal);
    CHECK(counts.at(equal) > 880);
    CHECK(counts.at(equal) < 1120);
  }
}

TEST_CASE("random_ties: the choice is never worse than by least_loaded, whatever the input") {
  tests::Chance chance(3);
  for (int i = 0; i < 3000; ++i) {
    std::vector<Gateway> gateways;
    for (std::size_t n = chance.below(7) + 1; n > 0; --n) {
      gateways.push_back({chance.between(0, 12), 100 * chance.between(1, 2)});
    }
    const Fixture fixture(gateways, {0}, {static_cast<int>(gateways.size()) - 1},
                          chance.below(2) == 0 ? domain::WhenFull::overflow : domain::WhenFull::reject);
    const auto alone = fixture.choose(Selection::least_loaded, chance.number());
    for (const Selection selection : {Selection::random_ties, Selection::two_choices}) {
      const auto choice = fixture.choose(selection, chance.number());
      REQUIRE(choice.gateway.has_value() == alone.gateway.has_value());
      REQUIRE(choice.step == alone.step);
      REQUIRE(choice.reason == alone.reason);
      REQUIRE(choice.refusal == alone.refusal);
      if (!choice.gateway || selection == Selection::two_choices) continue;
      const Gateway& ours = gateways[index_of(*choice.gateway)];
      const Gateway& best = gateways[index_of(*alone.gateway)];
      REQUIRE(ours.rooms * best.capacity == best.rooms * ours.capacity);
    }
  }
}

TEST_CASE("two_choices: the less loaded of two random gateways, relative to capacity, is chosen") {
  const Fixture fixture({{5, 100}, {4, 400}, {6, 100}, {7, 100}});
  tests::Chance chance(5);
  std::map<std::set<GatewayId>, int> pairs;
  for (int i = 0; i < 6000; ++i) {
    const auto choice = fixture.choose(Selection::two_choices, chance.number());
    REQUIRE(choice.rival);
    REQUIRE(*choice.rival != *choice.gateway);
    constexpr int rank[] = {1, 0, 2, 3};
    REQUIRE(rank[index_of(*choice.gateway)] < rank[index_of(*choice.rival)]);
    ++pairs[{*choice.gateway, *choice.rival}];
  }
  CHECK(pairs.size() == 6);
  for (const auto& [pair, times] : pairs) {
    CHECK(times > 880);
    CHECK(times < 1120);
  }
}

TEST_CASE("two_choices: the fullest gateway is never chosen, and equals are all chosen alike") {
  CHECK(Fixture({{5, 100}, {4, 100}, {6, 100}}).ever_chosen(Selection::two_choices) == Numbers{0, 1});
  for (const auto& [gateway, times] : Fixture({{1, 100}, {2, 200}, {1, 100}}).chosen(Selection::two_choices)) {
    CHECK(times > 880);
    CHECK(times < 1120);
  }
}

TEST_CASE("a single candidate of a step is chosen by every selection and every random number") {
  const Fixture fixture({{5, 100}, {0, 100}}, {0});
  for (const Selection selection : {Selection::least_loaded, Selection::random_ties, Selection::two_choices}) {
    for (const std::uint64_t chance : {std::uint64_t{0}, std::uint64_t{1}, third, largest - 1, largest}) {
      const auto choice = fixture.choose(selection, chance);
      CHECK(choice.gateway == GatewayId{0});
      CHECK_FALSE(choice.rival);
    }
  }
}

TEST_CASE("every random number of 64 bits leads to a candidate") {
  const Fixture fixture({{5, 100}, {5, 100}, {5, 100}});
  for (std::uint64_t bit = 1; bit != 0; bit <<= 1) {
    for (const std::uint64_t chance : {bit, bit - 1, ~bit, 0 - bit}) {
      for (const Selection selection : {Selection::random_ties, Selection::two_choices})
        CHECK(fixture.choose(selection, chance).gateway < GatewayId{3});
    }
  }
  CHECK(fixture.choose(Selection::random_ties, 0).gateway == GatewayId{0});
  CHECK(fixture.choose(Selection::random_ties, largest).gateway == GatewayId{2});
}

TEST_CASE("regions and steps hold with random_ties and with two_choices") {
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
    const Fixture fixture(c.gateways, {0, 1}, {4, 5}, c.when_full);
    for (const Selection selection : {Selection::random_ties, Selection::two_choices}) {
      CHECK(fixture.ever_chosen(selection) == c.admitted);
      CHECK(fixture.choose(selection, third).step == c.step);
    }
  }
}

TEST_CASE("suspect gateways are drawn only where no other is left, and dead ones never") {
  Fixture fixture({{1, 100}, {1, 100}, {1, 100}, {1, 100}, {1, 100}});
  fixture.fitness = {Fitness::suspect, Fitness::down, Fitness::fit, Fitness::fit, Fitness::suspect};
  for (const Selection selection : {Selection::random_ties, Selection::two_choices}) {
    fixture.fitness[2] = Fitness::fit;
    fixture.fitness[3] = Fitness::fit;
    CHECK(fixture.ever_chosen(selection) == Numbers{2, 3});
    fixture.fitness[2] = Fitness::down;
    fixture.fitness[3] = Fitness::down;
    CHECK(fixture.ever_chosen(selection) == Numbers{0, 4});
  }
}

TEST_CASE("random_ties: an equal that lost the draw is not_drawn, and any other is higher_load") {
  const Fixture fixture({{2, 100}, {10, 100}, {3, 100}, {2, 100}, {0, 100}}, {0, 1, 2, 3});
  CHECK(fixture.verdicts(Selection::least_loaded, largest) ==
        Words{"chosen", "full", "higher_load", "higher_load", "no_region"});
  CHECK(fixture.verdicts(Selection::random_ties, 0) ==
        Words{"chosen", "full", "higher_load", "not_drawn", "no_region"});
  CHECK(fixture.verdicts(Selection::random_ties, largest) ==
        Words{"not_drawn", "full", "higher_load", "chosen", "no_region"});
}

TEST_CASE("two_choices: only the other of the two can be higher_load, and the rest is not_drawn") {
  const Fixture fixture({{4, 100}, {10, 100}, {3, 100}, {2, 100}, {0, 100}}, {0, 1, 2, 3});
  tests::Chance chance(1);
  for (int i = 0; i < 100; ++i) {
    const auto number = chance.number();
    const auto choice = fixture.choose(Selection::two_choices, number);
    Words expected{"not_drawn", "full", "not_drawn", "not_drawn", "no_region"};
    expected[index_of(*choice.gateway)] = "chosen";
    expected[index_of(choice.rival.value())] = "higher_load";
    CHECK(fixture.verdicts(Selection::two_choices, number) == expected);
    // A later explanation of the choice is the same, whatever the next random number.
    std::vector<domain::Verdict> later;
    fixture.placement->explain("IL", fixture.loads(Selection::least_loaded, 0), choice, 10, later);
    for (std::size_t at = 0; at < later.size(); ++at) CHECK(later[at].verdict == expected[at]);
  }
  const Fixture equals({{4, 100}, {4, 100}});
  CHECK(equals.verdicts(Selection::two_choices, 0) == Words{"chosen", "not_drawn"});
  CHECK(equals.verdicts(Selection::two_choices, largest) == Words{"not_drawn", "chosen"});
}

TEST_CASE("candidates are the gateways that the lists allow for new rooms") {
  const Fixture fixture({{4, 100}, {4, 100}, {0, 100}}, {0}, {2});
  CHECK(fixture.placement->candidates() == std::vector<GatewayId>{GatewayId{0}, GatewayId{1}, GatewayId{2}});
}
