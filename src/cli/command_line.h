// What was asked for on the command line. Called once, from main's thread.
// Wrong usage is a value: what to print, and the exit code.
#pragma once

#include <optional>
#include <string>
#include <variant>

namespace cli {

enum class Command {
  serve,
  check,
  config,
  reload,
  scale,
  rooms_import,
  rooms_list,
  rooms_set,
  status,
  assignments,
  splits,
  explain,
  why,
  drain,
  undrain,
  release,
  backup,
  restore,
  cluster_join,
  cluster_leave,
};

struct CommandLine {
  Command command = Command::serve;
  std::optional<std::string> config_file;  // --config
  std::optional<std::string> env_file;     // --env-file
  std::optional<std::string> server;       // --server
  std::optional<std::string> token_file;   // --token-file
  bool json = false;

  std::string subject;                 // FILE, ROOM, GW, on or off, as the command has it
  std::optional<std::string> gateway;  // assignments --gateway, rooms set --default-gateway
  std::optional<std::string> country;  // explain --country
  std::optional<std::string> limit;    // why --limit
  std::optional<double> watch;         // status --watch: seconds
  bool force = false;                  // release --force
  bool allow_removals = false;         // reload --allow-removals
  bool move = false;                   // drain --move
  bool create_gateways = false;        // rooms import
  bool janus_is_default = false;       // rooms import
  bool set_aside_damaged = false;      // serve
  bool dry_run = false;                // cluster join
};

// --help, --version (exit code 0) or wrong usage (2).
struct NothingToRun {
  int exit_code = 0;
  std::string out;
  std::string err;
};

std::variant<CommandLine, NothingToRun> parse_command_line(int argc, const char* const* argv);

}  // namespace cli
