#include "config/load.h"

#include <algorithm>
#include <cassert>
#include <filesystem>
#include <map>

#include "config/checks.h"
#include "config/entries.h"
#include "config/env_file.h"
#include "config/known_keys.h"
#include "config/settings.h"
#include "config/toml_file.h"
#include "files/read_file.h"

namespace config {
namespace {

constexpr const char* usual_config_file = "/etc/room-sidecar/config.toml";

// Values by variable.
using Variables = std::map<std::string, Value, std::less<>>;

const Row* row_of(std::string_view variable) {
  for (const Row& row : settings()) {
    if (row.variable == variable) return &row;
  }
  return nullptr;
}

// What messages call a file; the folder would make each of them too long.
std::string file_name(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  return name.empty() ? path : name;
}

const Setting& setting_of(const Loaded& loaded, std::string_view key) {
  const auto found = std::find_if(loaded.settings.begin(), loaded.settings.end(),
                                  [&](const Setting& setting) { return setting.key == key; });
  assert(found != loaded.settings.end());
  return *found;
}

class Loading {
 public:
  explicit Loading(const Sources& sources) : sources_(sources) {
    const std::filesystem::path config_path(sources.config_file);
    env_path_ = sources.env_file ? *sources.env_file : (config_path.parent_path() / ".env").string();
    file_origin_ = {Origin::Rank::config_file, file_name(sources.config_file)};
    env_origin_ = {Origin::Rank::env_file, file_name(env_path_)};
    environment_origin_ = {Origin::Rank::environment, "environment"};
  }

  Loaded run() {
    const Value file = read_config_file();
    const Variables env_file = read_env_file();
    const Variables environment = read_environment();
    check_keys(file, file_origin_, report_);
    for (const Row& row : settings()) settle(row, file, env_file, environment);
    Configuration& configuration = loaded_.configuration;
    configuration.gateways = read_gateways(file, configuration.domain, file_origin_, report_);
    configuration.rooms = read_rooms(file, file_origin_, report_);
    check_together(configuration, given_, report_);
    list_settings();
    loaded_.problems = report_.take();
    return std::move(loaded_);
  }

 private:
  // An empty one if there is none, or none that can be read.
  Value read_config_file() {
    const files::FileText file = files::read_file(sources_.config_file);
    TomlText toml = parse_toml(file.text.value_or(""));
    const bool is_unread = file.missing ? sources_.config_file_required : !file.text;
    if (is_unread) {
      unreadable(file_origin_, "--config", sources_.config_file, file.trouble);
    } else if (!toml.valid) {
      report_.error(file_origin_, toml.fault_line, "this is no valid TOML: " + toml.fault);
    }
    return std::move(toml.root);
  }

  Variables read_env_file() {
    const files::FileText file = files::read_file(env_path_);
    if (!file.text && (!file.missing || sources_.env_file)) {
      unreadable(env_origin_, "--env-file", env_path_, file.trouble);
    }
    const auto is_ours = [](std::string_view name) { return row_of(name) != nullptr; };
    const EnvText env = parse_env(file.text.value_or(""), is_ours);
    for (const EnvFault& fault : env.faults) report_.error(env_origin_, fault.line, fault.text);
    for (const EnvFault& doubt : env.doubts) report_.warning(env_origin_, doubt.line, doubt.text);
    Variables variables;
    for (const EnvEntry& entry : env.entries) {
      const auto [known, is_new] = variables.emplace(entry.name, Value{});
      if (!is_new) {
        report_.warning(env_origin_, entry.line,
                        entry.name + ": is set before, at " + env_origin_.at(known->second.line) +
                            ": this one counts, take the other out");
      }
      known->second = untyped(entry.value, entry.line);
    }
    return variables;
  }

  Variables read_environment() {
    Variables variables;
    for (const auto& [name, value] : sources_.environment) {
      if (row_of(name)) variables.emplace(name, untyped(value, 0));
    }
    return variables;
  }

  void unreadable(const Origin& origin, const char* option, const std::string& path, const std::string& why) {
    report_.error(origin, 0,
                  in_quotes(path) + " cannot be read (" + why + "): mend that, or name another file with " + option);
  }

  // Every source is read, also where a stronger one decides: what does not parse is never passed
  // over.
  void settle(const Row& row, const Value& file, const Variables& env_file, const Variables& environment) {
    apply(row, row.find_in(file), file_origin_, row.key);
    const Value* const written = find(env_file, row.variable);
    const Value* const stronger = find(environment, row.variable);
    const Outcome env_outcome = apply(row, written, env_origin_, row.variable);
    const Outcome outcome = apply(row, stronger, environment_origin_, row.variable);
    if (env_outcome != Outcome::unset && outcome != Outcome::unset) {
      report_.warning(env_origin_, written->line,
                      std::string(row.variable) + ": " + shown(*written) +
                          " has no effect: the process environment sets it to " + shown(*stronger));
    }
  }

  Outcome apply(const Row& row, const Value* value, const Origin& origin, std::string_view name) {
    Given& given = given_[row.key];
    if (!value || is_blank(*value)) return Outcome::unset;
    const Spot spot{report_, origin, std::string(name), row.expected};
    const Outcome outcome = row.apply(*value, spot, loaded_.configuration);
    if (outcome == Outcome::refused) given.refused = true;
    if (outcome == Outcome::taken) {
      given.origin = &origin;
      given.line = value->line;
      given.name = name;
    }
    return outcome;
  }

  static const Value* find(const Variables& variables, std::string_view name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : &found->second;
  }

  void list_settings() {
    for (const Row& row : settings()) {
      const Given& given = given_[row.key];
      loaded_.settings.push_back({std::string(row.key), std::string(row.variable), row.show(loaded_.configuration),
                                  given.origin ? given.origin->at(given.line) : "default",
                                  given.origin ? given.name : std::string(row.key)});
    }
  }

  const Sources& sources_;
  std::string env_path_;
  Origin file_origin_;
  Origin env_origin_;
  Origin environment_origin_;
  Report report_;
  GivenSettings given_;
  Loaded loaded_;
};

}  // namespace

bool Loaded::ok() const {
  return std::none_of(problems.begin(), problems.end(), [](const Problem& problem) { return problem.is_error; });
}

std::string place_of(const Loaded& loaded, std::string_view key) {
  const Setting& setting = setting_of(loaded, key);
  return setting.origin + ": " + setting.called;
}

Loaded load(const Sources& sources) { return Loading(sources).run(); }

Sources default_sources(std::optional<std::string> config_file, std::optional<std::string> env_file,
                        const char* const* environment) {
  Sources sources;
  sources.config_file_required = config_file.has_value();
  sources.config_file = config_file ? std::move(*config_file) : usual_config_file;
  sources.env_file = std::move(env_file);
  for (; environment && *environment; ++environment) {
    const std::string_view entry(*environment);
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    sources.environment.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return sources;
}

}  // namespace config
