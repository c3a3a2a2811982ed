// Files of secrets and certificates that settings name, and without which the sidecar would not get far.
// Any thread. Reads them; never throws for what it finds.
#pragma once

#include <string>
#include <vector>

#include "config/load.h"

namespace config {

// Why, for each of [health], [occupancy] and [cluster] that can't be read or holds no secret, with the place where it
// is named: for `check`, and to refuse a start. Those of a source or engine that is not configured are not looked at:
// nobody reads them then. (http.token_file is looked at by http/access.h, which knows what it must hold.)
std::vector<std::string> unreadable_files(const Loaded& loaded);

// A warning for each secret that every user of the machine may read.
std::vector<std::string> exposed_secrets(const Loaded& loaded);

}  // namespace config
