#include "config/scale_switch.h"

#include "config/env_file.h"
#include "config/readers.h"
#include "config/settings.h"

namespace config {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// The line that counts: the last one, and with the prefix rather than without.
std::optional<EnvEntry> counting_entry(std::string_view text) {
  const EnvText env = parse_env(text, is_variable);
  std::optional<EnvEntry> found;
  for (const EnvEntry& entry : env.entries) {
    if (unprefixed(entry.name) != "SCALE") continue;
    const bool is_weaker = found && is_prefixed(found->name) && !is_prefixed(entry.name);
    if (!is_weaker) found = entry;
  }
  return found;
}

bool says(const std::optional<EnvEntry>& entry, bool on) {
  return entry && as_boolean(untyped(entry->value, 0)) == std::optional(on);
}

}  // namespace

std::optional<std::string> with_scale(std::string_view text, bool on) {
  const std::string_view word = on ? "true" : "false";
  const bool is_marked = text.substr(0, byte_order_mark.size()) == byte_order_mark;
  const std::string mark(text.substr(0, is_marked ? byte_order_mark.size() : 0));
  text.remove_prefix(mark.size());
  std::string edited(text);
  if (const std::optional<EnvEntry> entry = counting_entry(text)) {
    if (says(entry, on)) return mark + edited;
    // A comment may begin at the closing quote; without quotes it needs a blank before it.
    const std::string plain(word);
    for (const std::string& value : {plain, plain + ' ', '"' + plain + '"'}) {
      std::string with_value = edited;
      with_value.replace(entry->begin, entry->size, value);
      if (says(counting_entry(with_value), on)) return mark + with_value;
    }
    return std::nullopt;
  }
  const std::string line_end = text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
  const std::string line = "SCALE=" + std::string(word) + line_end;
  if (!edited.empty() && edited.back() != '\n') edited += line_end;
  // An empty line ends what goes on in the next one.
  for (const std::string& before : {std::string(), line_end}) {
    std::string with_line = edited;
    with_line.append(before).append(line);
    if (says(counting_entry(with_line), on)) return mark + with_line;
  }
  return std::nullopt;
}

}  // namespace config
