// Loads a config.toml and a `.env` that a test writes, and reads the outcome.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "config/load.h"
#include "temporary_folder.h"

namespace written {

using Environment = std::vector<std::pair<std::string, std::string>>;

// Loads texts as files; no text, no file.
inline config::Loaded load(const std::optional<std::string>& toml, const std::optional<std::string>& env = {},
                           const Environment& environment = {}) {
  const TemporaryFolder folder;
  if (toml) folder.write("config.toml", *toml);
  if (env) folder.write(".env", *env);
  config::Sources sources;
  sources.config_file = folder.file("config.toml");
  sources.environment = environment;
  return config::load(sources);
}

inline std::vector<std::string> texts(const config::Loaded& loaded, bool errors) {
  std::vector<std::string> result;
  for (const config::Problem& problem : loaded.problems) {
    if (problem.is_error == errors) result.push_back(problem.text);
  }
  return result;
}
inline std::vector<std::string> errors(const config::Loaded& loaded) { return texts(loaded, true); }
inline std::vector<std::string> warnings(const config::Loaded& loaded) { return texts(loaded, false); }

inline config::Setting setting(const config::Loaded& loaded, const std::string& key) {
  for (const config::Setting& setting : loaded.settings) {
    if (setting.key == key) return setting;
  }
  throw std::runtime_error("no setting " + key);
}

}  // namespace written
