// The configuration as the commands need it. Main's thread.
#pragma once

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

}  // namespace cli
