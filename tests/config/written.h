// A folder with a config.toml and a `.env` of a test's own, gone with the test.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "config/load.h"

namespace written {

using Environment = std::vector<std::pair<std::string, std::string>>;

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "config_test_XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no folder for the test");
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

// Loads texts as files; no text, no file.
inline config::Loaded load(const std::optional<std::string>& toml, const std::optional<std::string>& env = {},
                           const Environment& environment = {}) {
  const Folder folder;
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
