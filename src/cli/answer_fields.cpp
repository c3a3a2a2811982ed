#include "cli/answer_fields.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cli {
namespace {

std::optional<std::int64_t> number_of(const json::Value& value) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto* number = value.unsigned_number();
  if (number != nullptr && *number <= kMost) return static_cast<std::int64_t>(*number);
  if (const auto* with_sign = value.signed_number()) return *with_sign;
  return std::nullopt;
}

}  // namespace

std::string text_at(const json::Value& object, std::string_view key) {
  const auto* member = object.find(key);
  if (member == nullptr || member->is_null()) return "";
  if (const auto* text = member->string()) return *text;
  return member->dump();
}

std::optional<std::int64_t> number_at(const json::Value& object, std::string_view key) {
  const auto* member = object.find(key);
  // No sidecar counts that far, but for a capacity that was written by SQL: what is added up must not overflow.
  constexpr std::int64_t most = 1'000'000'000'000'000;
  const auto number = member == nullptr ? std::nullopt : number_of(*member);
  return number ? std::optional(std::clamp(*number, -most, most)) : std::nullopt;
}

std::int64_t sum_of(const std::vector<json::Value>& objects, std::string_view key) {
  const auto add = [key](std::int64_t sum, const json::Value& one) { return sum + number_at(one, key).value_or(0); };
  return std::accumulate(objects.begin(), objects.end(), std::int64_t{0}, add);
}

bool flag_at(const json::Value& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* flag = member == nullptr ? nullptr : member->boolean();
  return flag != nullptr && *flag;
}

std::vector<json::Value> items_at(const json::Value& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* items = member == nullptr ? nullptr : member->array();
  return items == nullptr ? std::vector<json::Value>{} : *items;
}

std::vector<std::string> texts_at(const json::Value& object, std::string_view key) {
  std::vector<std::string> texts;
  for (const auto& item : items_at(object, key)) {
    const auto* text = item.string();
    texts.push_back(text != nullptr ? *text : item.dump());
  }
  return texts;
}

std::vector<std::int64_t> numbers_at(const json::Value& object, std::string_view key) {
  std::vector<std::int64_t> numbers;
  for (const auto& item : items_at(object, key)) {
    if (const auto number = number_of(item)) numbers.push_back(*number);
  }
  return numbers;
}

std::string percent(std::int64_t part, std::int64_t whole) {
  if (whole <= 0) return "-";
  const auto share = static_cast<double>(part) * 100.0 / static_cast<double>(whole);
  return std::to_string(std::llround(share)) + '%';
}

std::string shown(const std::optional<std::int64_t>& number) { return number ? std::to_string(*number) : "-"; }

std::string or_dash(std::string text) { return text.empty() ? "-" : std::move(text); }

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string result;
  for (const auto& text : texts) {
    if (!result.empty()) result += separator;
    result += text;
  }
  return result;
}

}  // namespace cli
