// Prints the tables of docs/placement.md, of which `./dev simulate` puts each where it belongs.
#include <cstdio>
#include <string>

#include "herd.h"
#include "replay.h"

namespace {

using namespace std::chrono_literals;
using simulator::DecisionInput;
using simulator::Habit;

void print_days() {
  constexpr std::uint64_t days = 100;
  std::puts(
      "| rule | highest/mean | at lesson start | at its worst | users over capacity | at their "
      "worst | moves a day |");
  std::puts("|---|---:|---:|---:|---:|---:|---:|");
  for (const simulator::Rule& rule : simulator::all_rules()) {
    const simulator::Spread spread = simulator::replay(rule, days);
    std::printf("| %s | %.2f | %.2f | %.2f | %.1f | %lld | %.0f |\n", rule.name.c_str(), spread.mean,
                spread.at_lesson_start, spread.worst, spread.mean_over, static_cast<long long>(spread.worst_over),
                spread.moves);
  }
}

std::string text(domain::Duration lag) {
  return lag >= 1s ? std::to_string(lag / 1s) + " s" : std::to_string(lag / 1ms) + " ms";
}

void print_row(const std::string& name, const DecisionInput& input) {
  std::printf("| %s |", name.c_str());
  for (const Habit habit : simulator::habits) {
    const simulator::Evenness evenness = simulator::herd(habit, input);
    std::printf(" %.1f (%.0f) |", evenness.fullest, evenness.rush);
  }
  std::puts("");
}

void print_sidecars() {
  std::printf("| rooms a second, sidecars, lag |");
  for (const Habit habit : simulator::habits) std::printf(" %s |", std::string(to_text(habit)).c_str());
  std::puts("\n|---|---:|---:|---:|---:|---:|");
  for (const int rate : {20, 200}) {
    print_row(std::to_string(rate) + ", 1 sidecar", {1, 0ms, rate});
    for (const int sidecars : {3, 10, 50}) {
      for (const domain::Duration lag : {5ms, 50ms, 500ms, 5000ms}) {
        print_row(std::to_string(rate) + ", " + std::to_string(sidecars) + " sidecars, " + text(lag),
                  {sidecars, lag, rate});
      }
    }
  }
  const auto many = [](int sidecars) { return ", " + std::to_string(sidecars) + " sidecars, "; };
  for (const int sidecars : {10, 50}) {
    for (const int rate : {20, 200}) {
      print_row("an empty gateway joins, " + std::to_string(rate) + many(sidecars) + "50 ms",
                simulator::joining(sidecars, 50ms, rate));
    }
  }
  for (const int sidecars : {10, 50}) {
    for (const domain::Duration lag : {50ms, 500ms}) {
      print_row("300 again in 1 s" + many(sidecars) + text(lag), simulator::again(sidecars, lag));
    }
  }
}

void print_rates() {
  std::puts(
      "| rooms a second | random ties, 10 sidecars | two choices, 10 | random ties, 50 sidecars | two choices, 50 |");
  std::puts("|---:|---:|---:|---:|---:|");
  for (const int rate : {10, 20, 30, 40, 50, 100, 200, 500}) {
    std::printf("| %d |", rate);
    for (const int sidecars : {10, 50}) {
      for (const Habit habit : {Habit::random_ties, Habit::two_choices}) {
        std::printf(" %.2f |", simulator::herd(habit, {sidecars, 50ms, rate}).excess);
      }
    }
    std::puts("");
  }
}

}  // namespace

int main(int count, char** words) {
  const std::string table = count == 2 ? words[1] : "";
  if (table == "days")
    print_days();
  else if (table == "sidecars")
    print_sidecars();
  else if (table == "rates")
    print_rates();
  else
    return std::fputs("usage: simulate days|sidecars|rates\n", stderr), 2;
}
