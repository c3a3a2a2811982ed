// At most one process serves a database file, by a lock on `<real path>.lock`. Only the file's owner may open that, since
// everybody who opens a file can lock it. SQLite's own exclusive mode would shut the operator's shell out. Beside it,
// `<real path>.running` names the address for commands. Any thread. Throws Failure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "locks/mutex.h"
#include "store/files.h"

namespace store {

// What the note says, so that commands find the running sidecar.
struct OwnerNote {
  pid_t pid = 0;
  std::string address;
  std::uint64_t generation = 0;  // of the configuration, rises with each one that was applied

  bool operator==(const OwnerNote&) const = default;
};

class Owner {
 public:
  // Takes the lock, or throws (locked_by_other) with who holds it. Where no lock file can be made,
  // as on a read-only disk, it holds nothing yet: see keep().
  explicit Owner(const std::string& database_path);
  // The note goes, the lock file stays: who deletes that one makes two owners possible.
  ~Owner();
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

  // Is the lock ours, under its name? Cheap, to be asked often: if the file was deleted or could not
  // be made before, a new one is taken and says what was noted last. False while another process
  // has the lock or no lock file can be made; then the database must not be written.
  bool keep();
  // Rewrites the note. False if that could not be done.
  bool note(const OwnerNote& note);

 private:
  bool keep_locked() REQUIRES(mutex_);
  bool write_note() REQUIRES(mutex_);

  const std::string database_;
  const std::string path_;
  locks::Mutex mutex_;
  files::Descriptor lock_ GUARDED_BY(mutex_);
  std::optional<OwnerNote> noted_ GUARDED_BY(mutex_);
  files::Descriptor note_ GUARDED_BY(mutex_);   // locked, too, for those who may only read it
  bool is_written_ GUARDED_BY(mutex_) = false;  // what was noted
};

// What the present owner has noted; nothing if nobody owns the file, or nothing is noted yet. It is the word of the
// folder's owner.
std::optional<OwnerNote> read_owner_note(const std::string& database_path);

// Does any process own it? Tries the lock and does not keep it. A user who may not even read that goes by the note.
bool is_owned(const std::string& database_path);

}  // namespace store
