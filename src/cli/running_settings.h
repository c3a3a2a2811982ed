// What is in force in the running sidecar, as `config` shows it beside what is configured. Main's thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "config/load.h"

namespace cli {

struct RunningSettings {
  struct Value {
    std::string value;
    std::string origin;
  };
  std::string address;
  std::map<std::string, Value> in_force;  // by key
  std::vector<std::string> changes;       // what a reload would do, a sentence each
  std::vector<std::string> problems;      // why it would be refused
};

// Nothing if no sidecar runs on the configured database. One that runs and cannot be asked says so in `problem`.
std::optional<RunningSettings> running_settings(const CommandLine& line, const config::Loaded& loaded,
                                                std::string& problem);

}  // namespace cli
