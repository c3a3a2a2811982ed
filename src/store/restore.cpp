#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>

#include "store/as_file_owner.h"
#include "store/backup.h"
#include "store/connection.h"
#include "store/failure.h"
#include "store/files.h"
#include "store/log_damage.h"
#include "store/migrations.h"
#include "store/owner.h"
#include "store/read_connection.h"
#include "store/shape.h"

namespace store {
namespace {

Failure no_backup(const std::string& path, Failure::Kind kind, const std::string& why) {
  return {kind, path + " is no backup that can be restored: " + why + "; nothing was changed, name another file"};
}

// Opened by SQLite only if it looks like one of its files: whatever else it said would be about a live database.
void refuse_what_is_no_database(const std::string& path) {
  const files::Descriptor file = open_plain(path, O_RDONLY);
  if (file.get() < 0 && errno == EINVAL) throw no_backup(path, Failure::Kind::unusable, "it is not a file");
  if (file.get() < 0 && errno == EACCES && ::geteuid() != ::getuid()) {
    throw Failure(Failure::Kind::unusable, "the backup " + path +
                                               " cannot be read by the owner of its folder, so root does not read it "
                                               "there either; copy it into a folder of root's, and name the copy");
  }
  if (file.get() < 0) throw system_failure("read the backup", path, errno);
  constexpr std::string_view magic("SQLite format 3\0", 16);
  Bytes head(magic.size());
  if (!fill(file, head) || !std::equal(head.begin(), head.end(), magic.begin())) {
    throw no_backup(path, Failure::Kind::damaged, size_of(path) == 0 ? "it is empty" : "it is no database");
  }
  if (size_of(path + "-journal") > 0) {
    throw no_backup(path, Failure::Kind::damaged,
                    "a -journal lies beside it, so it was copied in the middle of a transaction");
  }
}

void refuse_other_versions(Connection& connection, const std::string& path) {
  const FoundVersion found = find_version(connection, embedded_migrations());
  switch (found.origin) {
    case FoundVersion::Origin::ours:
      if (const auto difference = difference_of_shape(connection, found.version, embedded_migrations())) {
        throw no_backup(path, Failure::Kind::altered, *difference);
      }
      return;
    case FoundVersion::Origin::dumped:
      throw Failure(Failure::Kind::not_ours, advice_on_dump(path, found.version));
    case FoundVersion::Origin::newer:
      throw no_backup(path, Failure::Kind::newer,
                      "it has version " + std::to_string(found.version) + ", this room-sidecar knows versions up to " +
                          std::to_string(newest_version(embedded_migrations())));
    case FoundVersion::Origin::blank:
      throw no_backup(path, Failure::Kind::not_ours, "there is nothing in it");
    case FoundVersion::Origin::foreign:
      throw no_backup(path, Failure::Kind::not_ours, "it is a database of another program");
  }
}

// As the owner of its folder: that one may put a link to another's file there. Root's folders hold root's backups.
Bytes image_of_sound_backup(const std::string& path) {
  if (!exists(path)) {
    throw Failure(Failure::Kind::unusable, "there is no backup at " + path + "; name one that is there");
  }
  const AsFileOwner as_owner(path, AsFileOwner::InRootsFolder::root);
  refuse_what_is_no_database(path);
  try {
    refuse_damaged_log_unless_served(path);
    ReadConnection open = open_for_reading(path);
    open.connection->give_up_after(patience_of_commands);
    refuse_other_versions(*open.connection, path);
    open.connection->check_soundness();
    Bytes image;
    open.connection->read_transaction([&] { image = open.connection->image(); });
    return image;
  } catch (const Failure& failure) {
    // What else is said names the file already, and what is to be done with it.
    if (failure.reason().empty()) throw;
    const bool is_damaged = failure.kind() == Failure::Kind::damaged;
    throw no_backup(path, failure.kind(),
                    (is_damaged ? "it is damaged (" : "it cannot be read (") + failure.reason() + ')');
  }
}

// A second name for the same file, or a copy where the file system has no such thing.
void keep(const std::string& path, const std::string& kept) {
  remove_file(kept);
  if (!exists(path)) return;
  if (::link(reached(path).c_str(), reached(kept).c_str()) == 0) return;
  copy_plain_file(path, kept);
}

std::optional<uid_t> owner_of(const std::string& path) {
  struct stat status = {};
  if (::lstat(reached(path).c_str(), &status) != 0) return std::nullopt;
  return status.st_uid;
}

}  // namespace

void restore(const std::string& backup_file, const std::string& database_path) {
  const std::string database = resolved(database_path);
  if (is_same_file(backup_file, database)) {
    throw Failure(Failure::Kind::unusable, "the backup " + backup_file + " is the database itself; name another file");
  }
  const Bytes image = image_of_sound_backup(resolved(backup_file));

  const AsFileOwner as_owner(database);
  require_plain_files(database);
  Owner owner(database);
  if (!owner.keep()) {
    throw Failure(Failure::Kind::unusable, "the lock " + database + ".lock cannot be taken; see what is there");
  }
  UnfinishedFile anew(database, image, 0640);
  // A file of root's in another's folder is a mistake, which ends here.
  if (const auto uid = owner_of(database); uid && (*uid != 0 || ::geteuid() == 0)) anew.look_like(database);
  const std::string kept = database + ".before-restore";
  keep(database, kept);
  for (const char* suffix : {"-wal", "-journal"}) keep(database + suffix, kept + suffix);
  remove_file(kept + "-shm");
  sync_folder_of(database);
  // In this order, and on disk before the next step: SQLite would play a -wal that it finds beside
  // the new file into it. Without its -wal the old file is at worst old, should we die right here.
  for (const char* suffix : {"-wal", "-shm", "-journal"}) remove_file(database + suffix);
  sync_folder_of(database);
  anew.rename_to_final();
}

}  // namespace store
