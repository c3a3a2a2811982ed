// Where the database file is.
#pragma once

#include <string>

namespace store {

struct Options {
  std::string path = "/var/lib/room-sidecar/room-sidecar.db";
};

}  // namespace store
