#include "store/database_id.h"

#include <filesystem>
#include <system_error>

#include "store/failure.h"
#include "store/files.h"

namespace store {

DatabaseId database_id(const std::string& path) {
  DatabaseId id;
  std::error_code error;
  id.path = std::filesystem::absolute(path, error).lexically_normal().string();
  try {
    id.real_path = resolved(path);
  } catch (const Failure&) {  // its folder is closed to us
  }
  if (const auto file = id_of(path)) id.file = std::to_string(file->device) + ':' + std::to_string(file->inode);
  return id;
}

bool is_same_database(const DatabaseId& one, const DatabaseId& other) {
  if (one.file && other.file) return one.file == other.file;
  return one.path == other.path || (!one.real_path.empty() && one.real_path == other.real_path);
}

}  // namespace store
