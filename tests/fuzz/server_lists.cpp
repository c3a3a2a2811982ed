// SERVER_REGIONS (first byte even) and SERVER_ROOMS (odd), as the environment has them.
#include <set>
#include <string>
#include <vector>

#include "config/regions.h"
#include "config/report.h"
#include "fuzz/expect.h"

namespace {

using fuzz::expect;

void check(const domain::Region& region, std::set<std::string>& seen) {
  expect(region.country == "*" || region.country.size() == 2, "a country code, or all others");
  for (const char c : region.country) expect(c == '*' || (c >= 'A' && c <= 'Z'), "a country in upper case");
  expect(seen.insert(region.country).second, "each country once");
  expect(!region.gateways.empty(), "a region that is not empty");
  const std::set<std::string> gateways(region.gateways.begin(), region.gateways.end());
  expect(gateways.size() == region.gateways.size(), "each gateway once");
  for (const std::string& gateway : gateways) expect(fuzz::is_gateway_name(gateway), "a gateway's name");
}

void check(const domain::Pin& pin, std::set<std::string>& seen) {
  expect(fuzz::is_id(pin.room_id) && fuzz::is_gateway_name(pin.gateway), "a room on a gateway");
  expect(seen.insert(pin.room_id.text()).second, "each room once");
}

bool same(const domain::Region& a, const domain::Region& b) {
  return a.country == b.country && a.gateways == b.gateways;
}
bool same(const domain::Pin& a, const domain::Pin& b) { return a.room_id == b.room_id && a.gateway == b.gateway; }

template <typename Entry>
using Read = config::Outcome (*)(const config::Value&, const config::Spot&, std::vector<Entry>&);

template <typename Entry>
void try_it(std::string_view text, Read<Entry> read) {
  const config::Origin origin{config::Origin::Rank::environment, "environment"};
  config::Report report;
  const config::Spot spot{report, origin, "SERVER_X", {}};
  std::vector<Entry> entries;
  const auto outcome = read(config::untyped(text, 0), spot, entries);
  const auto problems = report.take();
  bool has_error = false;
  for (const config::Problem& problem : problems) {
    has_error = has_error || problem.is_error;
    expect(fuzz::is_one_line(problem.text), "a problem in one line");
  }
  expect(has_error == (outcome == config::Outcome::refused), "an error, if and only if it is refused");
  expect(entries.empty() == (outcome != config::Outcome::taken), "all of it taken, or nothing");
  std::set<std::string> seen;
  for (const Entry& entry : entries) check(entry, seen);

  std::vector<Entry> again;
  const auto outcome_again = read(config::untyped(config::to_text(entries), 0), spot, again);
  expect(outcome_again == (entries.empty() ? config::Outcome::unset : config::Outcome::taken),
         "what is shown can be written down");
  expect(again.size() == entries.size(), "as many entries as are shown");
  for (std::size_t i = 0; i < again.size(); ++i) expect(same(entries[i], again[i]), "what is shown");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = fuzz::as_text(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    try_it<domain::Region>(text, config::read_regions);
  } else {
    try_it<domain::Pin>(text, config::read_pins);
  }
  return 0;
}
