// The configuration as `serve` and the commands need it. Main's thread, where nothing else is said.
#pragma once

#include "app/catalogue_sync.h"
#include "cli/command_line.h"
#include "cli/terminal.h"
#include "config/load.h"

namespace cli {

// As `serve` would load it, with the process's environment; may hold errors.
config::Loaded load_configuration(const CommandLine& line);

// The same for commands that ask the running sidecar: an error in it is no reason not to drain a
// gateway. Throws CommandFailed (2) only if a file that was named is not there.
config::Loaded load_for_asking(const CommandLine& line);

// Prints "error: …" and "warning: …", a line each.
void print_problems(const config::Loaded& loaded, std::ostream& to);

// For commands that touch the file: with an error in the configuration database.path may be the
// default's, and so another file than the one meant. Throws CommandFailed (2), errors printed.
config::Configuration sound_configuration(const CommandLine& line, Terminal& terminal);

// The part of a configuration that app/ takes. Any thread, and so is the next one.
app::Configured configured_part(const config::Configuration& configuration, app::Removals removals);

// The same at a start, or as it would be at one: a file that holds no settings removes nothing.
app::Configured configured_at_start(const config::Loaded& loaded);

}  // namespace cli
