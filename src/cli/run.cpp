#include "cli/run.h"

#include <ostream>
#include <variant>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace cli {
namespace {

int run_command(const CommandLine& line, Terminal& terminal) {
  switch (line.command) {
    case Command::serve:
      break;  // not ours
    case Command::check:
      return check(line, terminal);
    case Command::config:
      return show_config(line, terminal);
    case Command::reload:
      return reload(line, terminal);
    case Command::scale:
      return scale(line, terminal);
    case Command::rooms_import:
      return rooms_import(line, terminal);
    case Command::rooms_list:
      return rooms_list(line, terminal);
    case Command::rooms_set:
      return rooms_set(line, terminal);
    case Command::status:
      return status(line, terminal);
    case Command::assignments:
      return assignments(line, terminal);
    case Command::splits:
      return splits(line, terminal);
    case Command::explain:
      return explain(line, terminal);
    case Command::why:
      return why(line, terminal);
    case Command::drain:
      return drain(line, terminal);
    case Command::undrain:
      return undrain(line, terminal);
    case Command::release:
      return release(line, terminal);
    case Command::backup:
      return backup(line, terminal);
    case Command::restore:
      return restore(line, terminal);
    case Command::cluster_join:
      return cluster_join(line, terminal);
    case Command::cluster_leave:
      return cluster_leave(line, terminal);
  }
  return kFailed;
}

}  // namespace

int run(int argc, const char* const* argv, const ServeFunction& serve, std::istream& in, std::ostream& out,
        std::ostream& err) {
  const auto parsed = parse_command_line(argc, argv);
  if (const auto* nothing = std::get_if<NothingToRun>(&parsed)) {
    out << nothing->out << std::flush;
    err << nothing->err << std::flush;
    return nothing->exit_code;
  }
  const auto& line = std::get<CommandLine>(parsed);
  if (line.command == Command::serve) {
    return serve({line.config_file, line.env_file, line.set_aside_damaged});
  }
  Terminal terminal{in, out, err};
  int exit_code = kFailed;
  try {
    exit_code = run_command(line, terminal);
  } catch (const CommandFailed& failed) {
    err << "error: " << failed.what() << '\n';
    exit_code = failed.exit_code();
  } catch (const std::exception& failure) {  // the store's, whose texts are for operators
    err << "error: " << printable(failure.what()) << '\n';
  }
  out.flush();
  err.flush();
  // A full disk behind `> file`, or a pager that went away, must not look like success.
  if (exit_code == kFine && !out) {
    err << "error: the output could not be written\n" << std::flush;
    return kFailed;
  }
  return exit_code;
}

}  // namespace cli
