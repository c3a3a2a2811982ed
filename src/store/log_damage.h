// Finds flipped bytes in a -wal. SQLite takes the first frame that does not fit for the end of the log,
// as after a power cut, and drops all that follows without a word: rooms that were answered.
// Only while this process has no connection to the database: reading it drops SQLite's locks.
#pragma once

#include <string>

namespace store {

// Throws Failure (damaged) if commits that were complete once follow a frame that does not fit. Damage
// in the last commit cannot be told from a power cut, and is not found.
void refuse_damaged_log(const std::string& database_path);

}  // namespace store
