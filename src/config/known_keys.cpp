#include "config/known_keys.h"

#include <algorithm>
#include <vector>

#include "config/settings.h"
#include "domain/suggestion.h"

namespace config {
namespace {

std::string path_to(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : std::string(path) + "." + std::string(key);
}

bool contains(std::span<const std::string> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void refuse_key(const Value& entry, std::string_view path, const std::string& suggestion, const Origin& origin,
                Report& report) {
  std::string text = "unknown key " + in_quotes(path_to(path, entry.key)) + suggestion;
  if (suggestion.empty()) text += ": take it out";
  report.error(origin, entry.line, text);
}

// The right name in the wrong section is the commonest slip in TOML, whose sections do not end
// before the next one begins; the nearest spelling comes after that.
std::string suggestion_for(const Value& entry, std::string_view path) {
  std::vector<std::string> keys{"gateways", "rooms"};
  for (const Row& row : settings()) {
    if (row.name() == entry.key) return " (did you mean \"" + std::string(row.key) + "\"?)";
    keys.emplace_back(row.key);
    if (path.empty() && !row.section().empty()) keys.emplace_back(row.section());
  }
  return domain::did_you_mean(path_to(path, entry.key), keys);
}

}  // namespace

void check_keys(const Value& config_file, const Origin& origin, Report& report) {
  std::vector<std::string> top{"gateways", "rooms"};
  std::vector<std::string> sections;
  for (const Row& row : settings()) {
    if (row.section().empty()) {
      top.emplace_back(row.key);
    } else if (!contains(sections, row.section())) {
      sections.emplace_back(row.section());
    }
  }
  for (const Value& entry : config_file.children) {
    if (contains(top, entry.key)) continue;
    if (!contains(sections, entry.key)) {
      refuse_key(entry, "", suggestion_for(entry, ""), origin, report);
      continue;
    }
    if (entry.kind != Value::Kind::table) {
      report.error(origin, entry.line, entry.key + ": " + shown(entry) + " is not a section like [" + entry.key + "]");
      continue;
    }
    for (const Value& child : entry.children) {
      const auto is_it = [&](const Row& row) { return row.section() == entry.key && row.name() == child.key; };
      if (std::none_of(settings().begin(), settings().end(), is_it)) {
        refuse_key(child, entry.key, suggestion_for(child, entry.key), origin, report);
      }
    }
  }
}

void check_keys_of(const Value& table, std::string_view path, std::span<const std::string> known, const Origin& origin,
                   Report& report) {
  for (const Value& entry : table.children) {
    if (contains(known, entry.key)) continue;
    refuse_key(entry, path, domain::did_you_mean(entry.key, known), origin, report);
  }
}

}  // namespace config
