#include "store/backup.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "store/as_file_owner.h"
#include "store/connection.h"
#include "store/failure.h"
#include "store/files.h"
#include "store/log_damage.h"
#include "store/migrations.h"
#include "store/read_connection.h"
#include "store/shape.h"

namespace store {
namespace {

Bytes image_through(Connection& connection, const std::string& path) {
  Bytes image;
  connection.read_transaction([&] {
    if (connection.integer("SELECT count(*) FROM sqlite_schema") == 0) {
      throw Failure(Failure::Kind::unusable,
                    "there is nothing in the database " + path + " yet; start room-sidecar once");
    }
    image = connection.image();
  });
  return image;
}

// A proper connection if that can be had: it takes SQLite's locks, so that a sidecar which starts
// meanwhile does not write under our hands.
Bytes image_of(const std::string& path) {
  if (!exists(path)) {
    throw Failure(Failure::Kind::unusable, "there is no database at " + path + "; check database.path");
  }
  require_plain_files(path);
  refuse_damaged_log_unless_served(path);
  try {
    Connection connection(path, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
    connection.give_up_after(patience_of_commands);
    return image_through(connection, path);
  } catch (const Failure& failure) {
    if (failure.kind() == Failure::Kind::damaged) throw;
    const ReadConnection open = open_for_reading(path, true);
    open.connection->give_up_after(patience_of_commands);
    return image_through(*open.connection, path);
  }
}

void refuse_odd_target(const std::string& database, const std::string& target) {
  const std::string real = placed(target);
  for (const char* suffix : {"", "-wal", "-shm", "-journal", ".lock", ".running"}) {
    if (real == database + suffix || is_same_file(real, database + suffix)) {
      throw Failure(Failure::Kind::unusable,
                    "the backup would overwrite " + database + suffix + " itself; name another file");
    }
  }
  struct stat status = {};
  if (::lstat(real.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
    throw Failure(Failure::Kind::unusable, real + " is not a file; name one for the backup");
  }
}

// Returns in what it was altered.
std::optional<std::string> refuse_unsound(const Bytes& image, const std::string& database) {
  Connection check(database, image);
  check.give_up_after(patience_of_commands);
  try {
    const int version = version_of_ours(check, database, embedded_migrations());
    auto difference = difference_of_shape(check, version, embedded_migrations());
    check.check_soundness();
    return difference;
  } catch (const Failure& failure) {
    if (failure.kind() == Failure::Kind::damaged) throw damaged(database, "found by the backup");
    // A newer version's file may well be backed up.
    if (failure.kind() != Failure::Kind::newer) throw;
    return std::nullopt;
  }
}

}  // namespace

std::optional<std::string> backup(const std::string& database_path, const std::string& target) {
  const std::string database = resolved(database_path);
  refuse_odd_target(database, target);
  uid_t reader = 0;
  const Bytes image = [&] {
    const AsFileOwner owner(database);
    reader = ::geteuid();
    return image_of(database);
  }();
  auto difference = refuse_unsound(image, database);
  // What bears that name is replaced, be it a link. It names people's sessions.
  const AtFolderOf at(placed(target), AtFolderOf::Last::kept);
  UnfinishedFile copy(at.file(), image, 0600);
  // In the folder of the database's owner it is that one's, as whom `restore` reads it there.
  const bool is_by_root = ::geteuid() == 0 && reader != 0;
  if (is_by_root && at.folder_status().st_uid == reader) copy.give_to(reader, at.folder_status().st_gid);
  copy.rename_to_final();
  return difference;
}

}  // namespace store
