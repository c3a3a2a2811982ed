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
  const std::string word = on ? "true" : "false";
  const bool is_marked = text.substr(0, byte_order_mark.size()) == byte_order_mark;
  const std::string mark(text.substr(0, is_marked ? byte_order_mark.size() : 0));
  text.remove_prefix(mark.size());
  const std::string line_end = text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
  std::string ended(text);
  if (!ended.empty() && ended.back() != '\n') ended += line_end;

  const std::optional<EnvEntry> entry = counting_entry(ended);
  if (says(entry, on)) return mark + ended;
  // A comment may begin at the closing quote: without quotes it needs a blank before it. And an empty line ends what
  // goes on in the next one.
  const std::string line = "SCALE=" + word + line_end;
  for (const std::string& written :
       entry ? std::vector{word, word + ' ', '"' + word + '"'} : std::vector{line, line_end + line}) {
    std::string edited = ended;
    edited.replace(entry ? entry->begin : edited.size(), entry ? entry->size : 0, written);
    if (says(counting_entry(edited), on)) return mark + edited;
  }
  return std::nullopt;
}

}  // namespace config
