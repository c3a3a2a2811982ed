#include "cli/configured.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/table.h"

namespace cli {

config::Loaded load_configuration(const CommandLine& line) {
  return config::load(config::default_sources(line.config_file, line.env_file, ::environ));
}

config::Loaded load_for_asking(const CommandLine& line) {
  for (const auto& named : {line.config_file, line.env_file}) {
    if (named && ::access(named->c_str(), R_OK) != 0) {
      throw CommandFailed("cannot read " + printable(*named) + ": " + std::strerror(errno), kWrongInput);
    }
  }
  return load_configuration(line);
}

void print_problems(const config::Loaded& loaded, std::ostream& to) {
  for (const auto& problem : loaded.problems) {
    to << (problem.is_error ? "error: " : "warning: ") << printable(problem.text) << '\n';
  }
}

config::Configuration sound_configuration(const CommandLine& line, Terminal& terminal) {
  auto loaded = load_configuration(line);
  if (!loaded.ok()) {
    print_problems(loaded, terminal.err);
    throw CommandFailed("the configuration has errors; nothing was done", kWrongInput);
  }
  return std::move(loaded.configuration);
}

app::Configured configured_part(const config::Configuration& configuration, app::Removals removals) {
  return {configuration.domain, configuration.gateways, configuration.rooms, removals, {}};
}

app::Configured configured_at_start(const config::Loaded& loaded) {
  const bool has_settings = loaded.file == config::ConfigFile::settings;
  return configured_part(loaded.configuration, has_settings ? app::Removals::all : app::Removals::none);
}

}  // namespace cli
