// From a value as written to a value with a meaning. Any thread.
// The as_… functions answer nothing for what does not parse, and leave it to the caller to say so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/report.h"
#include "config/value.h"
#include "domain/id.h"
#include "domain/time.h"

namespace config {

// What became of a setting in one source.
enum class Outcome { unset, taken, refused };

inline constexpr std::int64_t most_users = 1'000'000'000;  // more is a slip of the finger
inline constexpr std::string_view a_name = domain::gateway_name_rule;
inline constexpr std::string_view a_count_of_users = "a whole number of users above 0 (and not above 1000000000)";
inline constexpr std::string_view a_boolean = "true or false (also 1/0, yes/no, on/off)";

// true/false, 1/0, yes/no, on/off in any case, from config.toml in quotes or without.
std::optional<bool> as_boolean(const Value& value);

// In config.toml without quotes.
std::optional<std::int64_t> as_whole_number(const Value& value, std::int64_t least, std::int64_t most);

// A part of 1, from 0 to 1: 0.5, .5, 1.
std::optional<double> as_part(const Value& value);

std::optional<domain::Duration> as_duration(const Value& value);

// One line of text without control characters, trimmed and not empty: a path, an address.
std::optional<std::string> as_line(const Value& value);

// A gateway name, trimmed.
std::optional<std::string> as_name(const Value& value);

// A list, from a source without types one with commas: trimmed, without empty items and doubles;
// may be empty. Reports what it refuses, each item by itself.
std::optional<std::vector<std::string>> read_names(const Value& value, const Spot& spot);

// Puts what was read to where it belongs, or refuses the value.
template <typename T, typename Target>
Outcome take(const std::optional<T>& read, const Value& value, const Spot& spot, Target& target) {
  if (!read) {
    spot.refuse(value);
    return Outcome::refused;
  }
  target = *read;
  return Outcome::taken;
}

}  // namespace config
