// The sub-commands, one file each or one for a few that belong together. Main's thread.
// Each returns its exit code; what cannot be done is thrown as CommandFailed or store::Failure.
#pragma once

#include "cli/command_line.h"
#include "cli/terminal.h"

namespace cli {

int check(const CommandLine& line, Terminal& terminal);
int show_config(const CommandLine& line, Terminal& terminal);

// These ask the running sidecar.
int reload(const CommandLine& line, Terminal& terminal);
int scale(const CommandLine& line, Terminal& terminal);
int status(const CommandLine& line, Terminal& terminal);
int watch_status(const CommandLine& line, Terminal& terminal);  // status --watch
int assignments(const CommandLine& line, Terminal& terminal);
int splits(const CommandLine& line, Terminal& terminal);
int why(const CommandLine& line, Terminal& terminal);
int explain(const CommandLine& line, Terminal& terminal);
int drain(const CommandLine& line, Terminal& terminal);
int undrain(const CommandLine& line, Terminal& terminal);
int release(const CommandLine& line, Terminal& terminal);

// These work on the database file.
int rooms_import(const CommandLine& line, Terminal& terminal);
int rooms_list(const CommandLine& line, Terminal& terminal);
int rooms_set(const CommandLine& line, Terminal& terminal);
int backup(const CommandLine& line, Terminal& terminal);
int restore(const CommandLine& line, Terminal& terminal);

// These work on etcd, with what the file has.
int cluster_join(const CommandLine& line, Terminal& terminal);
int cluster_leave(const CommandLine& line, Terminal& terminal);

}  // namespace cli
