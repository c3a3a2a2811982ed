// Prints the table of docs/placement.md. `./dev simulate` puts it there.
#include <cstdio>
#include <cstdlib>

#include "replay.h"

int main(int count, char** words) {
  const std::uint64_t days = count > 1 ? std::strtoull(words[1], nullptr, 10) : 100;
  std::puts("| rule | highest/mean | at lesson start | at its worst | users over capacity | at their worst | moves a day |");
  std::puts("|---|---:|---:|---:|---:|---:|---:|");
  for (const simulator::Rule& rule : simulator::all_rules()) {
    const simulator::Spread spread = simulator::replay(rule, days);
    std::printf("| %s | %.2f | %.2f | %.2f | %.1f | %lld | %.0f |\n", rule.name.c_str(), spread.mean,
                spread.at_lesson_start, spread.worst, spread.mean_over,
                static_cast<long long>(spread.worst_over), spread.moves);
  }
}
