// Has the running sidecar read its configuration again. Main's thread.
#pragma once

#include "cli/sidecar.h"
#include "cli/terminal.h"

namespace cli {

// Its answer, applied or refused; warnings and problems go to the terminal's err. Throws CommandFailed if it
// could not be asked.
Sidecar::Answer ask_for_reload(Sidecar& sidecar, bool allow_removals, Terminal& terminal);

// "legacy mode (.env:3)", as the answer has it.
std::string mode_in(const Sidecar::Answer& answer);

}  // namespace cli
