// Reads answers of the sidecar leniently: what is missing, null or of another type is empty, 0 or
// false, so that a newer sidecar can still be looked at. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace cli {

std::string text_at(const json::Value& object, std::string_view key);
std::optional<std::int64_t> number_at(const json::Value& object, std::string_view key);
// The sum over all `objects`; what is missing counts 0.
std::int64_t sum_of(const std::vector<json::Value>& objects, std::string_view key);
bool flag_at(const json::Value& object, std::string_view key);
std::vector<json::Value> items_at(const json::Value& object, std::string_view key);
std::vector<std::string> texts_at(const json::Value& object, std::string_view key);
// Without what is no number, as null.
std::vector<std::int64_t> numbers_at(const json::Value& object, std::string_view key);

// "25%", or "-" if there is no whole.
std::string percent(std::int64_t part, std::int64_t whole);
// The number, or "-".
std::string shown(const std::optional<std::int64_t>& number);
// The text, or "-" if it is empty.
std::string or_dash(std::string text);
std::string joined(const std::vector<std::string>& texts, std::string_view separator);

}  // namespace cli
