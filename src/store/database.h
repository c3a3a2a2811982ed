// The database file: opened, checked, brought to the newest shape. The tables' functions take it.
// One thread at a time; once it is given to a Journal, only that one's writer thread.
// What SQLite or the system refuses is thrown as Failure.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "domain/time.h"
#include "store/migrations.h"

namespace store {

class Connection;

enum class OpenMode {
  // For `serve`, which holds the Owner's lock: made if missing, migrated if older. A file that can
  // be read but not written is opened all the same; then writable() is false. Like the next, it
  // refuses a file with a second name (hard link): SQLite would keep a -wal for each.
  read_write,
  // For commands that change an existing file, also beside a running sidecar: never made, and
  // migrated only while nobody owns it.
  existing,
  // For `check`: nothing is made, locked or changed. An older file is migrated in a private copy.
  read_only,
  // The same in a process that has the file open already. Beside it the -wal is not looked at for damage: closing any
  // file of the database drops SQLite's locks.
  read_again,
};

class Database {
 public:
  // The list of migrations is an argument for the sake of tests.
  Database(const std::string& path, OpenMode mode, std::span<const Migration> migrations = embedded_migrations());
  ~Database();
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;

  // Absolute, links followed.
  const std::string& path() const;
  // PRAGMA user_version as it was found in the file, 0 if there was none.
  int found_version() const;

  bool writable() const;
  // Why not; empty if it is.
  const std::string& why_not_writable() const;
  // Opens it anew for writing if that is possible by now. Without effect on a writable one.
  bool try_make_writable();

  // In one transaction that holds the write lock from its beginning; undone if `task` throws.
  void transaction(const std::function<void()>& task);
  // In one transaction that sees one state of the file; works when it is not writable, too.
  void read_transaction(const std::function<void()>& task);

  // Commits the file's head with its change counter raised, and nothing else; throws if nothing can be committed. Around
  // each checkpoint this binds the -wal to its file (log_damage.h).
  void raise_change_counter();

  // How others have altered it since it was opened, as the sentence with which the next opening refuses it.
  std::optional<std::string> alteration();

  // Has anyone else committed since this was last asked, or since the file was opened?
  bool changed_by_others();
  // Is the file no longer to be found under its name (deleted or replaced)?
  bool has_moved();
  // Is its -wal or -shm no longer to be found under its name? What is committed then goes nowhere.
  bool has_lost_log() const;
  // Takes what is in the lost -wal into the file, which is opened anew. Nobody else in this process
  // may have it open. Throws if that cannot be done.
  void bring_back_log();
  // Throws Failure unless the whole file can be read and is sound, looked at past what this
  // connection remembers.
  void prove_sound();
  // Writes the content under its old name after the file has vanished, and goes on with that one.
  // Nobody else in this process may have it open. Throws if a file stands there.
  void write_anew();

  // Called about every 25 ms while another program's lock is waited for (at most 1 s); false ends
  // the wait.
  void while_busy(std::function<bool()> tick);
  // Frames in the -wal after the last commit. OpenMode::read_write leaves checkpoints to the
  // caller.
  int wal_frames() const;
  void checkpoint();

  // For the other files of store/ only.
  Connection& connection();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Renames a damaged file with its -wal and -shm to `<path>.damaged-<UTC time>…`; the new name.
std::string set_aside_damaged(const std::string& path, domain::WallTime now);

}  // namespace store
