// The table `meta`: single facts about the file, by name. The connection's thread.
// What SQLite refuses is thrown as Failure.
#pragma once

#include <optional>
#include <string>

#include "store/database.h"

namespace store {

std::optional<std::string> read_meta(Database& database, const std::string& key);
void write_meta(Database& database, const std::string& key, const std::string& value);

}  // namespace store
