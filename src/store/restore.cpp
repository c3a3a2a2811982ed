#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "store/as_file_owner.h"
#include "store/backup.h"
#include "store/connection.h"
#include "store/failure.h"
#include "store/files.h"
#include "store/migrations.h"
#include "store/owner.h"
#include "store/read_connection.h"

namespace store {
namespace {

// Read by the caller's own rights: the backup may be root's.
Bytes image_of_sound_backup(const std::string& path) {
  if (!exists(path)) {
    throw Failure(Failure::Kind::unusable, "there is no backup at " + path + "; name one that is there");
  }
  ReadConnection open = open_for_reading(path);
  try {
    if (version_of_ours(*open.connection, path, embedded_migrations()) == 0) {
      throw Failure(Failure::Kind::not_ours, "there is nothing in " + path + "; name a backup");
    }
    open.connection->check_soundness();
  } catch (const Failure& failure) {
    if (failure.kind() != Failure::Kind::damaged) throw;
    throw Failure(Failure::Kind::damaged, "the backup " + path + " is damaged or no database at all; take another one");
  }
  Bytes image;
  open.connection->read_transaction([&] { image = open.connection->image(); });
  return image;
}

// A second name for the same file, or a copy where the file system has no such thing.
void keep(const std::string& path, const std::string& kept) {
  remove_file(kept);
  if (!exists(path)) return;
  if (::link(path.c_str(), kept.c_str()) == 0) return;
  std::error_code error;
  std::filesystem::copy_file(path, kept, error);
  if (error) throw system_failure("keep the replaced database as", kept, error.value());
}

void take_rights_of(const std::string& old, const std::string& anew) {
  struct stat status = {};
  if (::stat(old.c_str(), &status) != 0) return;
  struct stat made = {};
  if (::stat(anew.c_str(), &made) != 0) throw system_failure("find", anew, errno);
  const bool differs = made.st_uid != status.st_uid || made.st_gid != status.st_gid;
  if (differs && ::chown(anew.c_str(), status.st_uid, status.st_gid) != 0) {
    throw system_failure("give the owner of the old database to", anew, errno);
  }
  if (::chmod(anew.c_str(), status.st_mode & 07777) != 0) {
    throw system_failure("give the mode of the old database to", anew, errno);
  }
}

}  // namespace

void restore(const std::string& backup_file, const std::string& database_path) {
  const std::string database = resolved(database_path);
  if (is_same_file(backup_file, database)) {
    throw Failure(Failure::Kind::unusable, "the backup " + backup_file + " is the database itself; name another file");
  }
  const Bytes image = image_of_sound_backup(resolved(backup_file));

  const AsFileOwner as_owner(database);
  const Owner owner(database);
  UnfinishedFile anew(database, image, 0640);
  take_rights_of(database, anew.path());
  const std::string kept = database + ".before-restore";
  keep(database, kept);
  keep(database + "-wal", kept + "-wal");
  remove_file(kept + "-shm");
  sync_folder_of(database);
  // In this order, and on disk before the next step: SQLite would play a -wal that it finds beside
  // the new file into it. Without its -wal the old file is at worst old, should we die right here.
  remove_file(database + "-wal");
  remove_file(database + "-shm");
  sync_folder_of(database);
  anew.rename_to_final();
}

}  // namespace store
