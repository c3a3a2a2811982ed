#include "domain/suggestion.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace domain {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// How many slips of the pen lie between the two: a letter too much, missing, wrong, or swapped with its
// neighbour (the optimal string alignment distance); without regard to case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_up;
  std::vector<std::size_t> up(b.size() + 1);
  std::iota(up.begin(), up.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::vector<std::size_t> row(b.size() + 1, i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const bool same = lower(a[i]) == lower(b[j]);
      row[j + 1] = std::min({up[j] + (same ? 0 : 1), up[j + 1] + 1, row[j] + 1});
      if (i > 0 && j > 0 && lower(a[i]) == lower(b[j - 1]) && lower(a[i - 1]) == lower(b[j])) {
        row[j + 1] = std::min(row[j + 1], two_up[j - 1] + 1);
      }
    }
    two_up = std::exchange(up, std::move(row));
  }
  return up.back();
}

}  // namespace

std::string did_you_mean(std::string_view unknown, std::span<const std::string> known, std::size_t most) {
  // A third of the letters wrong is still a slip of the pen; more is another word.
  std::size_t nearest = std::min(std::max<std::size_t>(1, unknown.size() / 3), most) + 1;
  const std::string* best = nullptr;
  for (const std::string& name : known) {
    const std::size_t d = distance(unknown, name);
    if (d < nearest) nearest = d, best = &name;
  }
  return best ? " (did you mean \"" + *best + "\"?)" : "";
}

}  // namespace domain
