// The command line from end to end: parses it, runs the command, gives the exit code.
// Called once, from main's thread. Throws nothing that a command throws; serve's exceptions pass.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

namespace cli {

struct ServeArguments {
  std::optional<std::string> config_file;  // for config::default_sources
  std::optional<std::string> env_file;
  bool set_aside_damaged = false;
};

using ServeFunction = std::function<int(const ServeArguments&)>;

// 0 fine, 1 failed while running, 2 wrong usage or configuration.
int run(int argc, const char* const* argv, const ServeFunction& serve, std::istream& in, std::ostream& out,
        std::ostream& err);

}  // namespace cli
