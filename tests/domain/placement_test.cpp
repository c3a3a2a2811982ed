// The five steps as a table: regions, loads, states and both ways of being full. For each case the answer
// is asserted, and that the explanation names the same gateway.
#include "domain/placement.h"

#include <sstream>

#include "catch.h"

namespace {

using domain::Reason;

struct Gateway {
  const char* name;
  std::int64_t rooms;     // already assigned
  std::int64_t capacity;  // with 10 users a room
  const char* state = "";
};

struct Case {
  const char* sentence;
  std::vector<Gateway> gateways;
  const char* regions;  // IL:a,b;US:c
  const char* country;
  const char* when_full;
  const char* answer;  // "gateway reason" or a refusal's code
};

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, by);) parts.push_back(part);
  return parts;
}

struct Loads {
  domain::GatewayNumbers names;
  std::vector<std::int64_t> rooms;
  domain::Options options;
  std::vector<domain::Gateway> gateways;

  explicit Loads(const Case& c) {
    options.avg_room_occupancy = 10;
    if (std::string(c.when_full) == "reject") options.when_full = domain::WhenFull::reject;
    options.available_servers.emplace();
    for (const Gateway& g : c.gateways) {
      domain::Gateway gateway;
      gateway.id = domain::RowId(static_cast<std::int64_t>(rooms.size()) + 1);
      gateway.name = g.name;
      gateway.capacity = g.capacity;
      const std::string state = g.state;
      gateway.disabled = state == "disabled";
      gateway.draining = state == "draining";
      gateway.removed = state == "removed";
      if (state == "streams") gateway.type = "streaming";
      if (state != "unlisted") options.available_servers->push_back(g.name);
      rooms.push_back(g.rooms);
      names.number(g.name);
      gateways.push_back(gateway);
    }
    for (const std::string& region : split(c.regions, ';')) {
      const std::size_t colon = region.find(':');
      options.regions.push_back({region.substr(0, colon), split(region.substr(colon + 1), ','), ""});
    }
  }
};

const Case cases[] = {
    // --- no regions configured
    {"the least loaded is chosen", {{"a", 3, 100}, {"b", 1, 100}, {"c", 2, 100}}, "", "", "overflow", "b assigned"},
    {"among equals the one listed first", {{"b", 1, 100}, {"a", 1, 100}}, "", "", "overflow", "b assigned"},
    {"a country without regions changes nothing", {{"a", 1, 100}, {"b", 0, 100}}, "", "IL", "overflow", "b assigned"},
    {"load counts relative to capacity", {{"a", 3, 400}, {"b", 1, 100}}, "", "", "overflow", "a assigned"},
    {"equal shares of unequal capacities go to the first",
     {{"a", 2, 200}, {"b", 4, 400}},
     "",
     "",
     "overflow",
     "a assigned"},
    {"shares are compared exactly", {{"a", 333333333, 10000000000}, {"b", 1, 30}}, "", "", "overflow", "b assigned"},
    {"a single gateway is chosen whatever its load", {{"a", 9, 100}}, "", "", "overflow", "a assigned"},
    {"the last place is taken", {{"a", 9, 100}, {"b", 10, 100}}, "", "", "reject", "a assigned"},
    {"a remainder too small for a room is full", {{"a", 9, 99}, {"b", 9, 100}}, "", "", "overflow", "b assigned"},
    {"a full gateway is not chosen while another has room",
     {{"a", 10, 100}, {"b", 39, 400}},
     "",
     "",
     "overflow",
     "b assigned"},
    {"all full overflows to the lowest share", {{"a", 12, 100}, {"b", 11, 100}}, "", "", "overflow", "b overflow"},
    {"all full is refused if so configured", {{"a", 10, 100}, {"b", 11, 100}}, "", "", "reject", "capacity_exhausted"},
    {"a capacity below one room is always full", {{"a", 0, 9}}, "", "", "reject", "capacity_exhausted"},
    {"a capacity below one room still overflows", {{"a", 0, 9}}, "", "", "overflow", "a overflow"},
    {"no gateway at all", {}, "", "", "overflow", "no_gateway_available"},
    {"no gateway at all, with reject", {}, "", "IL", "reject", "no_gateway_available"},
    // --- states, without regions
    {"a draining gateway gets no new room",
     {{"a", 0, 100, "draining"}, {"b", 5, 100}},
     "",
     "",
     "overflow",
     "b assigned"},
    {"a disabled gateway gets no new room",
     {{"a", 0, 100, "disabled"}, {"b", 5, 100}},
     "",
     "",
     "overflow",
     "b assigned"},
    {"a removed gateway gets no new room", {{"a", 0, 100, "removed"}, {"b", 5, 100}}, "", "", "overflow", "b assigned"},
    {"an unlisted gateway gets no new room",
     {{"a", 0, 100, "unlisted"}, {"b", 5, 100}},
     "",
     "",
     "overflow",
     "b assigned"},
    {"a gateway of another type gets no new room",
     {{"a", 0, 100, "streams"}, {"b", 5, 100}},
     "",
     "",
     "overflow",
     "b assigned"},
    {"a draining gateway is no overflow",
     {{"a", 0, 100, "draining"}, {"b", 10, 100}},
     "",
     "",
     "overflow",
     "b overflow"},
    {"only draining ones are none", {{"a", 0, 100, "draining"}}, "", "", "overflow", "no_gateway_available"},
    {"only disabled ones are none", {{"a", 0, 100, "disabled"}}, "", "", "reject", "no_gateway_available"},
    {"only unlisted ones are none", {{"a", 0, 100, "unlisted"}}, "", "IL", "overflow", "no_gateway_available"},
    // --- a known country, region free
    {"the region comes first, though it is busier",
     {{"a", 5, 100}, {"b", 0, 100}},
     "IL:a",
     "IL",
     "overflow",
     "a assigned"},
    {"within the region the least loaded",
     {{"a", 5, 100}, {"b", 2, 100}, {"c", 0, 100}},
     "IL:a,b",
     "IL",
     "overflow",
     "b assigned"},
    {"within the region its own order decides",
     {{"a", 1, 100}, {"b", 1, 100}},
     "IL:b,a",
     "IL",
     "overflow",
     "b assigned"},
    {"a gateway of two regions serves both, here the first",
     {{"a", 0, 100}, {"b", 0, 100}},
     "IL:a;US:a",
     "IL",
     "overflow",
     "a assigned"},
    {"a gateway of two regions serves both, here the second",
     {{"a", 9, 100}, {"b", 0, 100}},
     "IL:a;US:a",
     "US",
     "overflow",
     "a assigned"},
    {"the region's last place is taken", {{"a", 9, 100}, {"b", 0, 100}}, "IL:a", "IL", "reject", "a assigned"},
    {"a country without a region has that of all others",
     {{"a", 0, 100}, {"b", 2, 100}},
     "IL:a;*:b",
     "US",
     "overflow",
     "b assigned"},
    {"so has a caller without a country", {{"a", 0, 100}, {"b", 2, 100}}, "IL:a;*:b", "", "overflow", "b assigned"},
    {"a country with a region has not", {{"a", 2, 100}, {"b", 0, 100}}, "IL:a;*:b", "IL", "overflow", "a assigned"},
    // --- a known country, region full
    {"region full: one that nobody lists",
     {{"a", 10, 100}, {"b", 5, 100}, {"c", 0, 100}},
     "IL:a;US:c",
     "IL",
     "overflow",
     "b assigned"},
    {"region full: one that nobody lists, with reject",
     {{"a", 10, 100}, {"b", 5, 100}, {"c", 0, 100}},
     "IL:a;US:c",
     "IL",
     "reject",
     "b assigned"},
    {"region full: among those the available order",
     {{"c", 1, 100}, {"b", 1, 100}, {"a", 10, 100}},
     "IL:a",
     "IL",
     "overflow",
     "c assigned"},
    {"region and shared full: overflow at home, though another region is empty",
     {{"a", 11, 100}, {"b", 10, 100}, {"c", 0, 100}},
     "IL:a;US:c",
     "IL",
     "overflow",
     "b overflow"},
    {"region full, nothing shared: overflow in the region",
     {{"a", 11, 100}, {"b", 10, 100}, {"c", 0, 100}},
     "IL:a,b;US:c",
     "IL",
     "overflow",
     "b overflow"},
    {"overflow among equals follows the available order, not the region's",
     {{"a", 10, 100}, {"b", 10, 100}},
     "IL:b,a",
     "IL",
     "overflow",
     "a overflow"},
    {"region full with reject: borrowed from another region",
     {{"a", 10, 100}, {"c", 3, 100}, {"d", 2, 100}},
     "IL:a;US:c,d",
     "IL",
     "reject",
     "d borrowed"},
    {"all full with reject: refused",
     {{"a", 10, 100}, {"b", 10, 100}, {"c", 10, 100}},
     "IL:a;US:c",
     "IL",
     "reject",
     "capacity_exhausted"},
    {"a shared list is no home for the other's overflow",
     {{"a", 10, 100}, {"b", 10, 100}},
     "IL:a;US:a,b",
     "IL",
     "overflow",
     "a overflow"},
    {"listed by us and by others is ours in step 1 only",
     {{"a", 10, 100}, {"b", 9, 100}},
     "IL:a;US:a",
     "IL",
     "overflow",
     "b assigned"},
    // --- a known country, region drained, disabled, gone
    {"region drained: shared",
     {{"a", 0, 100, "draining"}, {"b", 5, 100}, {"c", 0, 100}},
     "IL:a;US:c",
     "IL",
     "overflow",
     "b assigned"},
    {"region disabled: shared",
     {{"a", 0, 100, "disabled"}, {"b", 5, 100}, {"c", 0, 100}},
     "IL:a;US:c",
     "IL",
     "overflow",
     "b assigned"},
    {"region unlisted: shared",
     {{"a", 0, 100, "unlisted"}, {"b", 5, 100}, {"c", 0, 100}},
     "IL:a;US:c",
     "IL",
     "overflow",
     "b assigned"},
    {"region drained, shared full: overflow to shared",
     {{"a", 0, 100, "draining"}, {"b", 10, 100}, {"c", 0, 100}},
     "IL:a;US:c",
     "IL",
     "overflow",
     "b overflow"},
    {"region drained, shared full, reject: borrowed",
     {{"a", 0, 100, "draining"}, {"b", 10, 100}, {"c", 0, 100}},
     "IL:a;US:c",
     "IL",
     "reject",
     "c borrowed"},
    {"region drained, nothing shared: borrowed",
     {{"a", 0, 100, "draining"}, {"c", 4, 100}},
     "IL:a;US:c",
     "IL",
     "overflow",
     "c borrowed"},
    {"region disabled, nothing shared: borrowed, not full first",
     {{"a", 0, 100, "disabled"}, {"c", 10, 100}, {"d", 30, 400}},
     "IL:a;US:c,d",
     "IL",
     "overflow",
     "d borrowed"},
    {"region disabled, the others full: borrowed all the same",
     {{"a", 0, 100, "disabled"}, {"c", 12, 100}, {"d", 11, 100}},
     "IL:a;US:c,d",
     "IL",
     "overflow",
     "d borrowed"},
    {"region disabled, the others full, reject: refused",
     {{"a", 0, 100, "disabled"}, {"c", 12, 100}},
     "IL:a;US:c",
     "IL",
     "reject",
     "capacity_exhausted"},
    {"half the region drained: the other half",
     {{"a", 0, 100, "draining"}, {"b", 9, 100}, {"c", 0, 100}},
     "IL:a,b",
     "IL",
     "overflow",
     "b assigned"},
    {"half the region full: the other half",
     {{"a", 10, 100}, {"b", 9, 100}, {"c", 0, 100}},
     "IL:a,b",
     "IL",
     "overflow",
     "b assigned"},
    // --- an unknown country, or none, with regions configured
    {"no country: what no region lists", {{"a", 0, 100}, {"b", 5, 100}}, "IL:a", "", "overflow", "b assigned"},
    {"unknown country: what no region lists", {{"a", 0, 100}, {"b", 5, 100}}, "IL:a", "FR", "overflow", "b assigned"},
    {"unknown country: the least loaded of those",
     {{"a", 0, 100}, {"b", 5, 100}, {"c", 4, 100}},
     "IL:a",
     "FR",
     "overflow",
     "c assigned"},
    {"unknown country, shared full: overflow to shared",
     {{"a", 0, 100}, {"b", 10, 100}},
     "IL:a",
     "FR",
     "overflow",
     "b overflow"},
    {"unknown country, shared full, reject: borrowed",
     {{"a", 0, 100}, {"b", 10, 100}},
     "IL:a",
     "FR",
     "reject",
     "a borrowed"},
    {"unknown country, nothing shared: borrowed",
     {{"a", 3, 100}, {"b", 2, 100}},
     "IL:a;US:b",
     "FR",
     "overflow",
     "b borrowed"},
    {"no country, nothing shared, reject: borrowed",
     {{"a", 3, 100}, {"b", 2, 100}},
     "IL:a;US:b",
     "",
     "reject",
     "b borrowed"},
    {"no country, nothing shared, all full: borrowed",
     {{"a", 13, 100}, {"b", 12, 100}},
     "IL:a;US:b",
     "",
     "overflow",
     "b borrowed"},
    {"no country, nothing shared, all full, reject: refused",
     {{"a", 10, 100}, {"b", 10, 100}},
     "IL:a;US:b",
     "",
     "reject",
     "capacity_exhausted"},
    {"no country, shared drained: borrowed",
     {{"a", 1, 100}, {"b", 0, 100, "draining"}},
     "IL:a",
     "",
     "overflow",
     "a borrowed"},
    {"no country, shared disabled: borrowed",
     {{"a", 1, 100}, {"b", 0, 100, "disabled"}},
     "IL:a",
     "",
     "reject",
     "a borrowed"},
    {"no country, all drained: none",
     {{"a", 0, 100, "draining"}, {"b", 0, 100, "draining"}},
     "IL:a",
     "",
     "overflow",
     "no_gateway_available"},
    {"a gateway listed twice abroad is lent once",
     {{"a", 1, 100}, {"b", 0, 100}},
     "IL:a,b;US:b",
     "FR",
     "reject",
     "b borrowed"},
    {"a region that names a stranger is as if it did not", {{"a", 1, 100}}, "IL:zz", "IL", "overflow", "a assigned"},
};

std::string answer_text(const domain::Placement::Choice& choice, const Loads& loads) {
  if (!choice.gateway) return std::string(code_of(choice.refusal));
  return loads.names.name_of(*choice.gateway) + " " + std::string(to_text(choice.reason));
}

}  // namespace

TEST_CASE("new rooms are placed by the five steps, and explained as they are placed") {
  CHECK(std::size(cases) >= 60);
  for (const Case& c : cases) {
    CAPTURE(c.sentence);
    Loads loads(c);
    const domain::Catalogue catalogue(loads.gateways, {});
    const domain::Placement placement(loads.options, catalogue, loads.names);
    const auto choice = placement.choose(c.country, {loads.rooms});
    CHECK(answer_text(choice, loads) == c.answer);

    std::vector<domain::Verdict> verdicts;
    const auto explained = placement.choose(c.country, {loads.rooms}, &verdicts);
    CHECK(answer_text(explained, loads) == c.answer);
    std::size_t chosen = 0;
    for (const domain::Verdict& verdict : verdicts) {
      if (verdict.verdict != "chosen") continue;
      ++chosen;
      CHECK(verdict.name == loads.names.name_of(*choice.gateway));
    }
    CHECK(chosen == (choice.gateway ? 1 : 0));
  }
}

TEST_CASE("a verdict says why a gateway was passed over") {
  const Case c{"",
               {{"a", 10, 100},
                {"b", 4, 100},
                {"c", 3, 100},
                {"d", 0, 100},
                {"e", 0, 100, "draining"},
                {"f", 0, 100, "disabled"},
                {"g", 0, 100, "unlisted"},
                {"h", 0, 100, "removed"},
                {"i", 0, 100}},
               "IL:a,b,c;US:d",
               "IL",
               "overflow",
               ""};
  Loads loads(c);
  const domain::Catalogue catalogue(loads.gateways, {});
  const domain::Placement placement(loads.options, catalogue, loads.names);
  std::vector<domain::Verdict> verdicts;
  placement.choose("IL", {loads.rooms}, &verdicts);
  std::vector<std::string> answer_text;
  for (const auto& v : verdicts)
    answer_text.push_back(v.name + " " + std::to_string(v.load) + " " + std::string(v.verdict));
  CHECK(answer_text == std::vector<std::string>{"a 100 full", "b 40 higher_load", "c 30 chosen", "d 0 other_region",
                                                "e 0 draining", "f 0 disabled", "i 0 no_region", "g 0 not_available"});
}

TEST_CASE("a region serves its own gateways only") {
  const Case c{"", {{"a", 0, 100}, {"b", 0, 100}}, "IL:a", "IL", "overflow", ""};
  Loads loads(c);
  const domain::Catalogue catalogue(loads.gateways, {});
  const domain::Placement placement(loads.options, catalogue, loads.names);
  CHECK(placement.region_serves("IL", domain::GatewayId{0}));
  CHECK_FALSE(placement.region_serves("IL", domain::GatewayId{1}));
  CHECK_FALSE(placement.region_serves("FR", domain::GatewayId{0}));
  CHECK_FALSE(placement.region_serves("", domain::GatewayId{1}));
}

TEST_CASE("excess users count as load: they make a gateway less preferred, and full") {
  const Case c{"", {{"a", 1, 100}, {"b", 3, 100}, {"c", 2, 100}}, "", "", "reject", ""};
  Loads loads(c);
  const domain::Catalogue catalogue(loads.gateways, {});
  const domain::Placement placement(loads.options, catalogue, loads.names);
  struct ExcessUsers {
    std::vector<std::int64_t> users;
    const char* answer;
  };
  for (const ExcessUsers& excess_users :
       {ExcessUsers{{}, "a assigned"}, ExcessUsers{{10, 0, 0}, "a assigned"}, ExcessUsers{{11, 0, 0}, "c assigned"},
        ExcessUsers{{21, 0, 11}, "b assigned"}, ExcessUsers{{80, 61, 71}, "a assigned"},  // the last free slot
        ExcessUsers{{81, 61, 71}, "capacity_exhausted"}}) {
    std::vector<domain::Verdict> verdicts;
    CHECK(answer_text(placement.choose("", {loads.rooms, excess_users.users}, &verdicts), loads) ==
          excess_users.answer);
    for (const domain::Verdict& verdict : verdicts) {
      const auto number = index_of(loads.names.require(verdict.name));
      CHECK(verdict.load == loads.rooms[number] * 10 + (excess_users.users.empty() ? 0 : excess_users.users[number]));
    }
  }
}
