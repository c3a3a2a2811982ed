// `room-sidecar serve`: owns all, in start order, and stops it in reverse. Called once, from main.
// Returns the exit code: 0 stopped as asked, 1 it failed, 2 the configuration is wrong.
#pragma once

#include "cli/run.h"

namespace sidecar {

int serve(const cli::ServeArguments& arguments);

}  // namespace sidecar
