#include "store/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <optional>
#include <utility>

#include "store/connection.h"
#include "store/failure.h"
#include "store/files.h"
#include "store/log_damage.h"
#include "store/owner.h"
#include "store/read_connection.h"
#include "store/shape.h"
#include "store/statement.h"

namespace store {
namespace {

// To which a -wal shrinks that had to grow; it mostly has half of that.
constexpr int log_size_kept = 8 << 20;

bool reading_may_help(Failure::Kind kind) {
  return kind == Failure::Kind::read_only || kind == Failure::Kind::full || kind == Failure::Kind::io ||
         kind == Failure::Kind::unusable;
}

// Spares a vain opening each second where rights or a read-only file system stand in the way.
bool may_write(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return ::faccessat(AT_FDCWD, reached(path).c_str(), W_OK, AT_EACCESS) == 0 &&
         ::faccessat(AT_FDCWD, reached(folder).c_str(), W_OK, AT_EACCESS) == 0;
}

// A -wal and a lock for each name, and one file under both: each would spoil what the other wrote.
void refuse_second_name(const std::string& path) {
  struct stat status = {};
  if (::stat(reached(path).c_str(), &status) != 0) return;
  // A restore that was killed leaves one that nobody serves.
  const nlink_t own = is_same_file(path, path + ".before-restore") ? 2 : 1;
  if (status.st_nlink <= own) return;
  throw Failure(Failure::Kind::unusable, "the database " + path +
                                             " has a second name, a hard link, by which another program "
                                             "could write it; remove that name, or set database.path to a copy");
}

// SQLite would begin an empty database, and delete the -wal that does not belong to it.
void refuse_orphaned_log(const std::string& path) {
  if (size_of(path + "-wal") == 0 || size_of(path) > 0) return;
  throw damaged(path, "it is missing or empty, though a -wal with changes to it is there");
}

void use_wal(Connection& connection) {
  const std::string mode = connection.text("PRAGMA journal_mode = WAL");
  if (mode != "wal") {
    throw Failure(Failure::Kind::unusable, "cannot keep a write-ahead log beside " + connection.path() +
                                               "; put the database on a local file system");
  }
}

// Does SQLite let us write? Somebody else's lock is no hindrance, it will pass.
void probe_writing(Connection& connection) {
  try {
    connection.transaction([] {});
  } catch (const Failure& failure) {
    if (failure.kind() != Failure::Kind::busy) throw;
  }
}

void refuse_other_shape(Connection& connection, const std::string& path, int version,
                        std::span<const Migration> migrations) {
  if (version == 0) return;  // nothing is in it yet
  if (const auto difference = difference_of_shape(connection, version, migrations)) {
    throw Failure(Failure::Kind::altered, "the database " + path + " was altered: " + *difference, *difference);
  }
}

}  // namespace

struct Database::Parts {
  std::string path;
  OpenMode mode = OpenMode::read_write;
  std::span<const Migration> migrations;
  // The folder of a copy must outlive the connection into it.
  ReadConnection open;
  bool writable = false;
  std::string why_not_writable;
  int found_version = 0;
  std::int64_t seen_version = 0;
  mode_t file_mode = 0600;
  // Which files it has open: the database, and if it can be written its -wal and -shm.
  std::optional<FileId> file_id;
  std::optional<FileId> log_id;
  std::optional<FileId> index_id;
  std::function<bool()> tick;

  Connection& connection();
  void open_writable();
  void open_readable();
  void ready();
};

Connection& Database::Parts::connection() {
  if (!open.connection) throw Failure(Failure::Kind::unusable, why_not_writable);
  return *open.connection;
}

void Database::Parts::open_writable() {
  const int create = mode == OpenMode::read_write ? SQLITE_OPEN_CREATE : 0;
  auto opened = std::make_unique<Connection>(path, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | create);
  if (tick) opened->wait_when_busy(tick);
  opened->execute("PRAGMA synchronous = FULL");
  // SQLite opens a file that it may not write for reading, and says so only here.
  if (opened->is_read_only()) throw system_failure("write to", path, EACCES);
  if (mode == OpenMode::existing) opened->give_up_after(patience_of_commands);
  found_version = version_of_ours(*opened, path, migrations);
  refuse_other_shape(*opened, path, found_version, migrations);
  opened->check_soundness();
  use_wal(*opened);
  if (found_version != newest_version(migrations)) {
    if (mode == OpenMode::read_write) {
      migrate(*opened, path, migrations);
    } else {
      const Owner owner(path);
      migrate(*opened, path, migrations);
    }
  }
  probe_writing(*opened);
  if (mode == OpenMode::read_write) {
    opened->count_wal_frames();
    opened->execute("PRAGMA journal_size_limit = " + std::to_string(log_size_kept));
  }
  open = {nullptr, std::move(opened)};
  writable = true;
  why_not_writable.clear();
  ready();
}

void Database::Parts::open_readable() {
  ReadConnection opened = open_for_reading(path, mode == OpenMode::read_write);
  if (mode == OpenMode::read_only) opened.connection->give_up_after(patience_of_commands);
  found_version = version_of_ours(*opened.connection, path, migrations);
  refuse_other_shape(*opened.connection, path, found_version, migrations);
  opened.connection->check_soundness();
  if (found_version != newest_version(migrations)) {
    if (mode == OpenMode::read_write || mode == OpenMode::existing) {
      throw Failure(Failure::Kind::read_only, "the database " + path + " has version " + std::to_string(found_version) +
                                                  " and must be brought to version " +
                                                  std::to_string(newest_version(migrations)) +
                                                  ", but cannot be written; make it writable");
    }
    // In a blank file, often of 0 bytes, there is nothing to copy; `serve` would start on it.
    const Bytes image = found_version == 0 ? Bytes{} : opened.connection->image();
    ReadConnection copy = open_copy(path, image);
    migrate(*copy.connection, copy.copy->file("copy.db"), migrations);
    opened = {std::move(copy.copy), std::move(copy.connection)};
  }
  open = std::move(opened);
  writable = false;
  ready();
}

void Database::Parts::ready() {
  struct stat status = {};
  if (::stat(reached(path).c_str(), &status) == 0) file_mode = status.st_mode & 0777;
  file_id = id_of(path);
  log_id = id_of(path + "-wal");
  index_id = id_of(path + "-shm");
  seen_version = open.connection->integer("PRAGMA data_version");
  if (tick) open.connection->wait_when_busy(tick);
}

Database::Database(const std::string& path, OpenMode mode, std::span<const Migration> migrations)
    : parts_(std::make_unique<Parts>()) {
  parts_->path = resolved(path);
  parts_->mode = mode;
  parts_->migrations = migrations;
  if (mode != OpenMode::read_again) require_plain_files(parts_->path);
  const bool reads_only = mode == OpenMode::read_only || mode == OpenMode::read_again;
  if (reads_only) {
    if (mode == OpenMode::read_only) refuse_damaged_log_unless_served(parts_->path);
    parts_->why_not_writable = "the database " + parts_->path + " was opened for reading only";
    parts_->open_readable();
    return;
  }
  if (mode == OpenMode::existing && !exists(parts_->path)) {
    throw Failure(Failure::Kind::unusable,
                  "there is no database at " + parts_->path + "; check database.path, or start room-sidecar once");
  }
  refuse_second_name(parts_->path);
  refuse_orphaned_log(parts_->path);
  // The last close takes the -wal into the file, right or wrong.
  mode == OpenMode::read_write ? refuse_damaged_log(parts_->path) : refuse_damaged_log_unless_served(parts_->path);
  try {
    parts_->open_writable();
  } catch (const Failure& failure) {
    const bool may_read = mode == OpenMode::read_write && reading_may_help(failure.kind()) && size_of(parts_->path) > 0;
    if (!may_read) throw;
    parts_->why_not_writable = failure.what();
    parts_->open_readable();
  }
}

Database::~Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

const std::string& Database::path() const { return parts_->path; }
int Database::found_version() const { return parts_->found_version; }
bool Database::writable() const { return parts_->writable; }
const std::string& Database::why_not_writable() const { return parts_->why_not_writable; }

bool Database::try_make_writable() {
  if (parts_->writable) return true;
  if (parts_->mode != OpenMode::read_write || !may_write(parts_->path)) return false;
  // Nor begin an empty one in the place of what was served.
  if (parts_->file_id != id_of(parts_->path) || size_of(parts_->path) == 0) {
    parts_->why_not_writable = "the database " + parts_->path +
                               " was replaced or emptied; put the right one there and restart "
                               "room-sidecar";
    return false;
  }
  // Closed first: an immutable connection's close would drop the locks of one opened before it.
  parts_->open = {};
  try {
    refuse_second_name(parts_->path);
    parts_->open_writable();
  } catch (const Failure& failure) {
    parts_->why_not_writable = failure.what();
    try {
      parts_->open_readable();
    } catch (const Failure& cannot_read) {
      parts_->why_not_writable = cannot_read.what();
    }
  }
  return parts_->writable;
}

void Database::transaction(const std::function<void()>& task) {
  if (!parts_->writable) throw Failure(Failure::Kind::read_only, parts_->why_not_writable);
  parts_->connection().transaction(task);
}

void Database::read_transaction(const std::function<void()>& task) { parts_->connection().read_transaction(task); }

void Database::raise_change_counter() {
  if (!parts_->writable) throw Failure(Failure::Kind::read_only, parts_->why_not_writable);
  // SQLite writes the counter that it has read, and one: while page 1 is in memory, the same again and again.
  const auto forget_page_1 = [this] { connection().execute("PRAGMA shrink_memory"); };
  forget_page_1();
  // Writes page 1 though nothing differs in it.
  const std::string same = "PRAGMA user_version = " + std::to_string(newest_version(parts_->migrations));
  transaction([&] { connection().execute(same); });
  forget_page_1();
}

std::optional<std::string> Database::alteration() {
  const std::string& path = parts_->path;
  try {
    const int version = version_of_ours(connection(), path, parts_->migrations);
    refuse_other_shape(connection(), path, version, parts_->migrations);
  } catch (const Failure& failure) {
    switch (failure.kind()) {
      case Failure::Kind::altered:
      case Failure::Kind::newer:
      case Failure::Kind::not_ours:
        return failure.what();
      default:
        throw;
    }
  }
  return std::nullopt;
}

bool Database::changed_by_others() {
  Statement ask(*this, "PRAGMA data_version");
  ask.step();
  const std::int64_t version = ask.integer(0);
  if (version == parts_->seen_version) return false;
  // SQLite prepares a statement by the schema that it remembers, and may go on refusing it for a trigger that is gone.
  // Only a statement that runs has it look whether that schema is the file's.
  connection().integer("SELECT count(*) FROM sqlite_schema WHERE 0");
  parts_->seen_version = version;
  return true;
}

bool Database::has_moved() { return parts_->open.connection && connection().has_moved(); }

bool Database::has_lost_log() const {
  const std::string& path = parts_->path;
  return parts_->writable && (parts_->log_id != id_of(path + "-wal") || parts_->index_id != id_of(path + "-shm"));
}

void Database::bring_back_log() {
  const std::string& path = parts_->path;
  if (parts_->log_id != id_of(path + "-wal") && size_of(path + "-wal") > 0) {
    throw Failure(Failure::Kind::unusable,
                  "another program has made a -wal of its own beside " + path +
                      " after ours was deleted; restart room-sidecar, and make sure that nothing deletes it");
  }
  if (!connection().checkpoint_all()) {
    throw Failure(Failure::Kind::busy, "cannot take the changes from the -wal of " + path +
                                           " that was deleted; end the transactions of other programs on it");
  }
  parts_->writable = false;
  parts_->why_not_writable = "the -wal of the database " + path + " has vanished";
  try_make_writable();
}

void Database::prove_sound() {
  // What was read while it was damaged must not be believed.
  connection().execute("PRAGMA shrink_memory");
  Connection fresh(parts_->path, parts_->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
  if (version_of_ours(fresh, parts_->path, parts_->migrations) == 0) {
    throw damaged(parts_->path, "it is empty");
  }
  fresh.check_soundness();
}

void Database::write_anew() {
  const std::string& path = parts_->path;
  {
    UnfinishedFile anew(path, connection().image(), parts_->file_mode);
    anew.close();  // later it would drop the locks of processes that have opened it by its final name
    // A -wal of the file that vanished would be played into the new one. It goes when the disk knows
    // that the file is gone: should the power fail, that one without its -wal would lack rows.
    if (exists(path)) throw system_failure("write anew", path, EEXIST);
    sync_folder_of(path);
    for (const char* suffix : {"-wal", "-shm", "-journal"}) remove_file(path + suffix);
    // A rename would replace what somebody else has just put there.
    anew.link_to_final();
  }
  parts_->open_writable();
}

void Database::while_busy(std::function<bool()> tick) {
  parts_->tick = std::move(tick);
  if (parts_->open.connection) connection().wait_when_busy(parts_->tick);
}

int Database::wal_frames() const { return parts_->open.connection ? parts_->open.connection->wal_frames() : 0; }

void Database::checkpoint() {
  if (parts_->writable) connection().checkpoint();
}

Connection& Database::connection() { return parts_->connection(); }

std::string set_aside_damaged(const std::string& path, domain::WallTime now) {
  const std::string file = resolved(path);
  std::string text = domain::to_text(now);  // 2026-11-23T03:27:00.123Z, which becomes 20261123T032700Z
  text.replace(text.find('.'), 4, "");
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  const std::string first = file + ".damaged-" + text;
  std::string aside = first;
  for (int n = 2; exists(aside); ++n) aside = first + "-" + std::to_string(n);
  // The -wal first: the new file must never meet it.
  for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
    if (exists(file + suffix)) rename_file(file + suffix, aside + suffix);
  }
  sync_folder_of(file);
  return aside;
}

}  // namespace store
