// What GET /v2/settings answers. Plain values; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace api {

struct SettingsView {
  struct Setting {
    std::string key;
    std::string variable;
    std::string value;   // "": none
    std::string origin;  // "default", "config.toml:12", ".env:3", "environment"
  };
  struct Change {
    Setting now;
    std::string before;
    bool needs_restart = false;
  };
  // What a reload would do.
  struct Preview {
    std::vector<Change> changes;
    std::vector<std::string> entries;   // a sentence each about [[gateways]] and [[rooms]] that change
    std::vector<std::string> problems;  // any: it would be refused
    std::vector<std::string> warnings;
  };
  struct Database {
    std::string path;
    std::string real_path;
    std::optional<std::string> file;
  };

  Database database;
  std::vector<Setting> settings;  // in force
  std::optional<Preview> after_reload;
};

}  // namespace api
