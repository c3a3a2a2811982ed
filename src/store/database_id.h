// Identifies a database file, so that two programs can compare what they mean. Any thread.
// Never throws for what it finds.
#pragma once

#include <optional>
#include <string>

namespace store {

struct DatabaseId {
  std::string path;                 // absolute, as it was named
  std::string real_path;            // with links followed as far as we may look; "" if we may not at all
  std::optional<std::string> file;  // device:inode; nothing if there is no file, or it may not be looked at
};

DatabaseId database_id(const std::string& path);

// The file decides where both see one. A user who may not look into the folder has nothing but its name.
bool is_same_database(const DatabaseId& one, const DatabaseId& other);

}  // namespace store
