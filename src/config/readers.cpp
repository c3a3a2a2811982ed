#include "config/readers.h"

#include <algorithm>

#include "config/duration.h"
#include "config/lists.h"
#include "domain/id.h"
#include "domain/number.h"

namespace config {
namespace {

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

}  // namespace

std::optional<bool> as_boolean(const Value& value) {
  if (value.kind == Value::Kind::boolean) return value.boolean;
  std::string word;
  if (value.is_text()) word = lower_case(trimmed(value.text));
  if (value.kind == Value::Kind::integer) word = std::to_string(value.integer);
  for (const std::string_view yes : {"true", "1", "yes", "on"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"false", "0", "no", "off"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> as_whole_number(const Value& value, std::int64_t least, std::int64_t most) {
  std::int64_t number = value.integer;
  if (value.is_text() && !value.typed) {
    const auto written = domain::number_from<std::int64_t>(trimmed(value.text));
    if (!written) return std::nullopt;
    number = *written;
  } else if (value.kind != Value::Kind::integer) {
    return std::nullopt;
  }
  if (number < least || number > most) return std::nullopt;
  return number;
}

std::optional<double> as_part(const Value& value) {
  const bool is_number = !value.typed || value.kind == Value::Kind::other || value.kind == Value::Kind::integer;
  if (!is_number) return std::nullopt;
  const std::string text =
      value.kind == Value::Kind::integer ? std::to_string(value.integer) : std::string(trimmed(value.text));
  // Digits and one point: no sign, no exponent, no infinity.
  if (text.empty() || text.find_first_not_of("0123456789.") != text.npos) return std::nullopt;
  const auto part = domain::number_from<double>(text);
  return part && *part <= 1 ? part : std::nullopt;
}

std::optional<domain::Duration> as_duration(const Value& value) {
  if (!value.is_text()) return std::nullopt;
  return duration_from(trimmed(value.text));
}

std::optional<std::string> as_line(const Value& value) {
  const std::string_view text = trimmed(value.text);
  if (!value.is_text() || text.empty() || has_control_character(text)) return std::nullopt;
  return std::string(text);
}

std::optional<std::string> as_name(const Value& value) {
  const std::string_view text = trimmed(value.text);
  if (!value.is_text() || !domain::is_gateway_name(text)) return std::nullopt;
  return std::string(text);
}

std::optional<std::vector<std::string>> read_names(const Value& value, const Spot& spot) {
  std::vector<Value> items;
  if (value.kind == Value::Kind::list) {
    items = value.children;
  } else if (value.is_text() && !value.typed) {
    for (const std::string& item : split(value.text, ',')) {
      items.push_back(untyped(item, value.line));
    }
  } else {
    spot.refuse(value, "a list of gateway names like [\"gxy1\", \"gxy2\"]");
    return std::nullopt;
  }

  std::vector<std::string> names;
  bool good = true;
  for (const Value& item : items) {
    if (is_blank(item)) continue;
    const std::optional<std::string> name = as_name(item);
    if (name) {
      names.push_back(*name);
    } else {
      spot.refuse(item, a_name);
      good = false;
    }
  }
  if (!good) return std::nullopt;
  collapse_duplicates(names);
  return names;
}

}  // namespace config
