#include "store/migrations.h"

#include <sys/stat.h>

#include "store/connection.h"
#include "store/failure.h"
#include "store/files.h"

namespace store {
namespace {

// "RmSc", in bytes 68 to 71 of the file: tells our files from those of other programs.
constexpr std::int64_t application_id = 0x526d5363;

void keep_copy(Connection& connection, const std::string& path, int version) {
  const std::string target = path + ".v" + std::to_string(version);
  struct stat status = {};
  const mode_t mode = ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0600;
  UnfinishedFile(target, connection.image(), mode).rename_to_final();
}

}  // namespace

int newest_version(std::span<const Migration> migrations) { return migrations.empty() ? 0 : migrations.back().version; }

int version_of_ours(Connection& connection, const std::string& path, std::span<const Migration> migrations) {
  const auto id = connection.integer("PRAGMA application_id");
  const auto version = connection.integer("PRAGMA user_version");
  const bool has_tables = connection.integer("SELECT count(*) FROM sqlite_schema") > 0;
  const bool is_blank = id == 0 && version == 0 && !has_tables;
  if (is_blank) return 0;
  if (id != application_id || version < 1) {
    throw Failure(Failure::Kind::not_ours,
                  path + " is a database of another program; set database.path to a file of its own");
  }
  if (version > newest_version(migrations)) {
    throw Failure(Failure::Kind::newer, "the database " + path + " has version " + std::to_string(version) +
                                            ", this room-sidecar knows versions up to " +
                                            std::to_string(newest_version(migrations)) +
                                            "; install the newer room-sidecar, or restore a backup or the copy " +
                                            path + ".v" + std::to_string(newest_version(migrations)));
  }
  return static_cast<int>(version);
}

void migrate(Connection& connection, const std::string& path, std::span<const Migration> migrations) {
  connection.transaction([&] {
    // Asked again inside the transaction: another process may have been quicker.
    const int version = version_of_ours(connection, path, migrations);
    if (version == newest_version(migrations)) return;
    if (version > 0) keep_copy(connection, path, version);
    for (const Migration& migration : migrations) {
      if (migration.version > version) connection.execute(migration.sql);
    }
    connection.execute("PRAGMA application_id = " + std::to_string(application_id));
    connection.execute("PRAGMA user_version = " + std::to_string(newest_version(migrations)));
  });
}

}  // namespace store
