#include "config/load.h"

#include <algorithm>
#include <cassert>
#include <filesystem>
#include <map>

#include "config/checks.h"
#include "config/entries.h"
#include "config/env_file.h"
#include "config/known_keys.h"
#include "config/lists.h"
#include "config/settings.h"
#include "config/toml_file.h"
#include "domain/suggestion.h"
#include "files/read_file.h"

namespace config {
namespace {

constexpr const char* usual_config_file = "/etc/room-sidecar/config.toml";

// Values by variable, as it is written: with the prefix or without.
using Variables = std::map<std::string, Value, std::less<>>;
using Variable = Variables::value_type;

// What gxydb calls a setting that there is here, too. It shares its `.env`, and none of these is read.
struct Foreign {
  std::string_view variable;
  std::string_view key;
};
constexpr Foreign gxydbs[] = {{"MQTT_BROKER_URL", "health.mqtt_url"},
                              {"MQTT_CLIENT_ID", "health.mqtt_user"},
                              {"MQTT_PASSWORD", "health.mqtt_password_file"},
                              {"GATEWAY_PLUGIN_ADMIN_KEY", "occupancy.secret_file"}};

const Row& row_of_key(std::string_view key) {
  const auto row = std::find_if(settings().begin(), settings().end(), [&](const Row& r) { return r.key == key; });
  assert(row != settings().end());
  return *row;
}

// The setting to use for a name that is none: gxydb's, or a secret that belongs into a file. Null if there is none.
const Row* row_instead_of(const std::string& name) {
  const std::string_view bare = unprefixed(name);
  for (const Foreign& foreign : gxydbs) {
    if (foreign.variable == bare) return &row_of_key(foreign.key);
  }
  return is_prefixed(name) ? row_of(name + "_FILE") : nullptr;
}

// Headings alone set nothing.
bool holds_setting(const Value& value) {
  return value.kind != Value::Kind::table || std::any_of(value.children.begin(), value.children.end(), holds_setting);
}

// The variable that a name was meant to be, as a question; a third of the letters wrong would be another program's.
std::string near_variable(std::string_view name) {
  std::vector<std::string> variables;
  for (const Row& row : settings()) variables.emplace_back(row.variable);
  const std::string_view bare = unprefixed(name);
  return domain::did_you_mean(bare, variables, bare.size() < 8 ? 1 : 2);
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
    env_path_ = env_file_of(sources);
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
    // Whether the settings of a file that cannot be read go together is not known.
    if (loaded_.file != ConfigFile::unusable) check_together(configuration, given_, report_);
    warn_of_ignored();
    loaded_.is_database_known = is_database_known();
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
    loaded_.file = is_unread || !toml.valid      ? ConfigFile::unusable
                   : file.missing                ? ConfigFile::missing
                   : trimmed(*file.text).empty() ? ConfigFile::blank
                   : !holds_setting(toml.root)   ? ConfigFile::comments
                                                 : ConfigFile::settings;
    if (is_unread) {
      unreadable(file_origin_, "--config", sources_.config_file, file.problem);
    } else if (!toml.valid) {
      report_.error(file_origin_, toml.fault_line, "this is no valid TOML: " + toml.fault);
    }
    return std::move(toml.root);
  }

  Variables read_env_file() {
    const files::FileText file = sources_.env_file ? files::read_file(env_path_) : files::read_usual_file(env_path_);
    if (!file.text && (!file.missing || sources_.env_file)) {
      env_file_may_name_database_ = true;
      unreadable(env_origin_, "--env-file", env_path_, file.problem);
    }
    const EnvText env = parse_env(file.text.value_or(""), is_variable);
    for (const EnvFault& fault : env.faults) {
      if (row_of(fault.name) == &row_of_key("database.path")) env_file_may_name_database_ = true;
      report_.error(env_origin_, fault.line, fault.text);
    }
    for (const EnvFault& doubt : env.doubts) report_.warning(env_origin_, doubt.line, doubt.text);
    for (const EnvFault& foreign : env.foreign) judge_foreign(env_origin_, foreign.line, foreign.text);
    Variables variables;
    for (const EnvEntry& entry : env.entries) {
      const auto [known, is_new] = variables.emplace(entry.name, Value{});
      if (!is_new) {
        report_.warning(env_origin_, entry.line,
                        entry.name + ": is set before, at " + env_origin_.at(known->second.line) +
                            ": this one counts, remove the other");
      }
      known->second = untyped(entry.value, entry.line);
    }
    return variables;
  }

  Variables read_environment() {
    Variables variables;
    for (const auto& [name, value] : sources_.environment) {
      if (is_variable(name)) {
        variables.emplace(name, untyped(value, 0));
      } else {
        judge_foreign(environment_origin_, 0, name);
      }
    }
    return variables;
  }

  // A name that sets nothing here, and perhaps was meant to.
  void judge_foreign(const Origin& origin, std::size_t line, const std::string& name) {
    if (const Row* const instead = row_instead_of(name)) {
      ignored_.push_back({&origin, line, name, instead});
      return;
    }
    const std::string suggestion = near_variable(name);
    // Kubernetes sets ROOM_SIDECAR_PORT and others for a service of that name.
    const bool is_for_us = is_prefixed(name) && &origin != &environment_origin_;
    if (suggestion.empty() && !is_for_us) return;
    report_.warning(origin, line, name + ": is no setting of room-sidecar's" + suggestion + ", and is not read");
  }

  void warn_of_ignored() {
    for (const Ignored& ignored : ignored_) {
      const auto& [origin, line, name, instead] = ignored;
      const bool is_given = given_[instead->key].origin || given_[instead->key].refused;
      if (is_given && !is_prefixed(name)) continue;
      report_.warning(*origin, line,
                      name + ": is not read here: set " + std::string(instead->key) + " (" +
                          std::string(instead->variable) + ") instead");
    }
  }

  bool is_database_known() {
    const Given& path = given_["database.path"];
    if (path.refused || loaded_.file == ConfigFile::unusable) return false;
    return path.origin == &environment_origin_ || path.origin == &env_origin_ || !env_file_may_name_database_;
  }

  void unreadable(const Origin& origin, const char* option, const std::string& path, const std::string& why) {
    report_.error(origin, 0,
                  in_quotes(path) + " cannot be read (" + why + "): correct that, or name another file with " + option);
  }

  // Every source is read, also where a stronger one decides: what does not parse is never passed
  // over.
  void settle(const Row& row, const Value& file, const Variables& env_file, const Variables& environment) {
    apply(row, row.find_in(file), file_origin_, row.key);
    const Variable* const written = find(env_file, row.variable);
    const Variable* const stronger = find(environment, row.variable);
    const Outcome env_outcome = written ? apply(row, &written->second, env_origin_, written->first) : Outcome::unset;
    const Outcome outcome =
        stronger ? apply(row, &stronger->second, environment_origin_, stronger->first) : Outcome::unset;
    if (env_outcome != Outcome::unset && outcome != Outcome::unset) {
      report_.warning(env_origin_, written->second.line,
                      written->first + ": " + shown(written->second) +
                          " has no effect: the process environment sets it to " + shown(stronger->second));
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

  // With the prefix, if that is set; null if neither is written.
  static const Variable* find(const Variables& variables, std::string_view name) {
    const auto prefixed = variables.find(with_prefix(name));
    if (prefixed != variables.end() && !is_blank(prefixed->second)) return &*prefixed;
    const auto plain = variables.find(name);
    return plain == variables.end() ? nullptr : &*plain;
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
  struct Ignored {
    const Origin* origin;
    std::size_t line;
    std::string name;
    const Row* instead;
  };
  std::vector<Ignored> ignored_;
  bool env_file_may_name_database_ = false;  // where it could not be read
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

std::string env_file_of(const Sources& sources) {
  if (sources.env_file) return *sources.env_file;
  return (std::filesystem::path(sources.config_file).parent_path() / ".env").string();
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
