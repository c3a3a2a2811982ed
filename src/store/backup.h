// Copies of the database for keeping, and the way back. For commands, in a process of their own;
// single-threaded, since as root they act as the file's owner for a while. Throws Failure.
#pragma once

#include <optional>
#include <string>

namespace store {

// Writes a consistent copy, also while a sidecar serves the file. The copy is one file without
// -wal, checked, belongs to the caller, and appears whole or not at all; a file there is replaced.
// Returns why `restore` would refuse it: what others have altered is copied all the same.
std::optional<std::string> backup(const std::string& database_path, const std::string& target);

// Puts the backup in the place of the database, which nobody may own; the copy taken from it keeps
// owner and mode of the file it replaces. That one is kept as `<path>.before-restore` with its
// -wal; the last one kept so is replaced.
void restore(const std::string& backup_file, const std::string& database_path);

}  // namespace store
