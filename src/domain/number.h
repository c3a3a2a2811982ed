// Reads numbers that people and programs write. Pure; any thread. What is no number is nothing.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace domain {

// The whole text as one number: without blanks, "+" or a prefix, nothing before or behind it, within the type's range.
template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && rest == end ? std::optional(number) : std::nullopt;
}

}  // namespace domain
