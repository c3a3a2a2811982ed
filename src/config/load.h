// Loads the configuration. The process environment overrides `.env`, `.env` overrides config.toml, and that overrides the
// defaults.
// Any thread. Never throws for what operators wrote: whatever is wrong with that is a Problem.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/configuration.h"
#include "config/report.h"

namespace config {

// One line of `room-sidecar config`. There are no secrets among the settings (the token itself is
// in a file of its own), so nothing has to be masked.
struct Setting {
  std::string key;       // "balancing.max_server_capacity"
  std::string variable;  // "MAX_SERVER_CAPACITY"
  std::string value;     // as one would write it in the environment; empty: none
  std::string origin;    // "default", "config.toml:12", ".env:3", "environment"
  std::string called;    // there: the key, or in ".env" and the environment the variable
};

// What the configuration file turned out to be. Only one with settings says by leaving an entry out that it is to go.
enum class ConfigFile { missing, blank, comments, settings, unusable };

struct Loaded {
  // With errors among the problems: what parsed, and the defaults for the rest.
  Configuration configuration;
  std::vector<Problem> problems;  // in the order of the files; all, not only the first
  std::vector<Setting> settings;  // every one, in the documented order
  ConfigFile file = ConfigFile::missing;
  bool is_database_known = true;  // false: the file is unusable, or what could not be read may name another one

  bool ok() const;  // no error among the problems
};

// What messages about the setting with that key begin with: "config.toml:5: http.token_file", or
// ".env:3: API_TOKEN_FILE". Expects a key that there is.
std::string place_of(const Loaded& loaded, std::string_view key);

struct Sources {
  std::string config_file;
  bool config_file_required = false;    // named by somebody: must be there
  std::optional<std::string> env_file;  // named: must be there; else `.env` beside config_file, if any
  std::vector<std::pair<std::string, std::string>> environment;
};

// The `.env` that it reads, whether it is there or not.
std::string env_file_of(const Sources& sources);

Loaded load(const Sources& sources);

// What the command line named, else /etc/room-sidecar/config.toml and the `.env` beside it.
// `environment` is the process's own, ended by a null pointer; it may itself be null.
Sources default_sources(std::optional<std::string> config_file, std::optional<std::string> env_file,
                        const char* const* environment);

}  // namespace config
