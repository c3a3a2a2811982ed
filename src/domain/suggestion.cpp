#include "domain/suggestion.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace domain {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Levenshtein's distance, without regard to case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view unknown, std::span<const std::string> known) {
  // A third of the letters wrong is still a slip of the pen; more is another word.
  std::size_t nearest = std::max<std::size_t>(1, unknown.size() / 3) + 1;
  const std::string* best = nullptr;
  for (const std::string& name : known) {
    const std::size_t d = distance(unknown, name);
    if (d < nearest) nearest = d, best = &name;
  }
  return best ? " (did you mean \"" + *best + "\"?)" : "";
}

}  // namespace domain
