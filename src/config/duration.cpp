#include "config/duration.h"

#include <charconv>
#include <cstdint>

namespace config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

constexpr Unit units[] = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};
constexpr std::int64_t longest = std::int64_t{10} * 365 * 24 * 3'600'000;

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

}  // namespace

std::optional<domain::Duration> duration_from(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  const Unit* unit = std::begin(units);
  while (!text.empty()) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || text.front() == '-') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));

    std::size_t length = 0;
    while (length < text.size() && is_letter(text[length])) ++length;
    const std::string_view name = text.substr(0, length);
    text.remove_prefix(length);
    while (unit != std::end(units) && unit->name != name) ++unit;
    if (unit == std::end(units)) return std::nullopt;

    if (count > (longest - total) / unit->milliseconds) return std::nullopt;
    total += count * unit->milliseconds;
    ++unit;
  }
  return domain::Duration{total};
}

std::string to_text(domain::Duration duration) {
  std::int64_t rest = duration.count();
  if (rest == 0) return "0s";
  // "90s" and not "1m30s": so the documentation writes it, and a table reads better.
  const bool in_seconds = rest < 120'000 && rest % 60'000 != 0 && rest % 1'000 == 0;
  std::string text;
  for (const Unit& unit : units) {
    if (in_seconds && unit.name == "m") continue;
    const std::int64_t count = rest / unit.milliseconds;
    if (count > 0) text += std::to_string(count) + std::string(unit.name);
    rest -= count * unit.milliseconds;
  }
  return text;
}

}  // namespace config
