// backup and restore.
#include <filesystem>

#include "cli/commands.h"
#include "cli/configured.h"
#include "cli/database_file.h"
#include "cli/table.h"
#include "store/backup.h"

namespace cli {

int backup(const CommandLine& line, Terminal& terminal) {
  const auto configuration = sound_configuration(line, terminal);
  require_database(configuration.store.path);
  const auto difference = store::backup(configuration.store.path, line.subject);
  terminal.out << "The copy is in " << printable(line.subject) << ".\n";
  if (!difference) return kFine;
  throw CommandFailed("the database was altered, so restore would refuse this copy: " + printable(*difference));
}

int restore(const CommandLine& line, Terminal& terminal) {
  const auto configuration = sound_configuration(line, terminal);
  const auto& path = configuration.store.path;
  std::error_code error;
  const bool replaces = std::filesystem::exists(path, error);
  store::restore(line.subject, path);
  terminal.out << printable(path) << " is restored from " << printable(line.subject) << ".\n";
  if (replaces) terminal.out << "What it replaced is kept as " << path << ".before-restore.\n";
  return kFine;
}

}  // namespace cli
