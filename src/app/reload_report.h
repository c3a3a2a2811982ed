// What came of a reload: whether it was applied, what is in force now and what that changed. A plain value; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace app {

// One setting with another value than before; an empty value is none.
struct SettingChange {
  std::string key;       // "balancing.max_server_capacity"
  std::string variable;  // "MAX_SERVER_CAPACITY"
  std::string before;
  std::string after;
  std::string origin;  // of the new value: "config.toml:12", ".env:3", "environment", "default"
};

struct ReloadReport {
  std::vector<std::string> problems;  // if there are any, it was refused and nothing was changed
  std::vector<std::string> warnings;
  bool scale = false;       // the mode in force
  std::string mode_origin;  // where that is written
  // Only if it was applied:
  std::size_t gateways = 0;
  std::size_t rooms = 0;
  std::vector<SettingChange> changed;
};

}  // namespace app
