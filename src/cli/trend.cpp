#include "cli/trend.h"

#include <algorithm>

#include "cli/answer_fields.h"

namespace cli {

Trend::Trend(const json::Value& last_hour) {
  for (auto& one : items_at(last_hour, "gateways")) gateways_.emplace(text_at(one, "name"), one);
}

std::string Trend::line(const std::string& gateway, const std::string& of, std::int64_t now, std::int64_t capacity,
                        std::size_t length) const {
  static constexpr const char* heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (length == 0) return "";
  std::vector<std::int64_t> all;
  const auto known = gateways_.find(gateway);
  if (known != gateways_.end()) all = numbers_at(known->second, of);
  all.push_back(now);
  const std::size_t count = std::min(length, all.size());
  std::vector<std::int64_t> shown;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(i * all.size() / count);
    const auto end = all.begin() + static_cast<std::ptrdiff_t>((i + 1) * all.size() / count);
    shown.push_back(*std::max_element(begin, end));
  }
  const auto [least, highest] = std::minmax_element(shown.begin(), shown.end());
  const auto full = std::max({*highest - *least, capacity / 10, std::int64_t{1}});
  std::string line;
  for (const auto value : shown) line += heights[(value - *least) * 7 / full];
  return line;
}

}  // namespace cli
