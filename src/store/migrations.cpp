#include "store/migrations.h"

#include <sys/stat.h>

#include "store/connection.h"
#include "store/failure.h"
#include "store/files.h"
#include "store/shape.h"

namespace store {
namespace {

// "RmSc", in bytes 68 to 71 of the file: distinguishes our files from those of other programs.
constexpr std::int64_t application_id = 0x526d5363;

void keep_copy(Connection& connection, const std::string& path, int version) {
  const std::string target = path + ".v" + std::to_string(version);
  struct stat status = {};
  const mode_t mode = ::stat(reached(path).c_str(), &status) == 0 ? status.st_mode & 0777 : 0600;
  UnfinishedFile(target, connection.image(), mode).rename_to_final();
}

}  // namespace

int newest_version(std::span<const Migration> migrations) { return migrations.empty() ? 0 : migrations.back().version; }

FoundVersion find_version(Connection& connection, std::span<const Migration> migrations) {
  using Origin = FoundVersion::Origin;
  const auto id = connection.integer("PRAGMA application_id");
  const auto version = connection.integer("PRAGMA user_version");
  const bool has_tables = connection.integer("SELECT EXISTS (SELECT 1 FROM sqlite_schema)") != 0;
  if (id == 0 && version == 0 && !has_tables) return {Origin::blank};
  if (id == application_id && version >= 1) {
    const auto known = static_cast<int>(version);
    return {known > newest_version(migrations) ? Origin::newer : Origin::ours, known};
  }
  const bool is_unmarked = id == 0 || id == application_id;
  const int by_shape = is_unmarked ? version_by_shape(connection, migrations) : 0;
  return by_shape > 0 ? FoundVersion{Origin::dumped, by_shape} : FoundVersion{Origin::foreign};
}

std::string advice_on_dump(const std::string& path, int version) {
  return path +
         " has the tables of room-sidecar, but not the marks of its databases, which a dump leaves out; make them with "
         "`sqlite3 " +
         path + " 'PRAGMA application_id = " + std::to_string(application_id) +
         "; PRAGMA user_version = " + std::to_string(version) + "'`, and copy by `room-sidecar backup` instead";
}

int version_of_ours(Connection& connection, const std::string& path, std::span<const Migration> migrations) {
  const FoundVersion found = find_version(connection, migrations);
  switch (found.origin) {
    case FoundVersion::Origin::blank:
    case FoundVersion::Origin::ours:
      return found.version;
    case FoundVersion::Origin::dumped:
      throw Failure(Failure::Kind::not_ours, advice_on_dump(path, found.version));
    case FoundVersion::Origin::foreign:
      break;
    case FoundVersion::Origin::newer:
      throw Failure(Failure::Kind::newer, "the database " + path + " has version " + std::to_string(found.version) +
                                              ", this room-sidecar knows versions up to " +
                                              std::to_string(newest_version(migrations)) +
                                              "; install the newer room-sidecar, or restore a backup or the copy " +
                                              path + ".v" + std::to_string(newest_version(migrations)));
  }
  throw Failure(Failure::Kind::not_ours,
                path + " is a database of another program; set database.path to a file of its own");
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
