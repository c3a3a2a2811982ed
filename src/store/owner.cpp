#include "store/owner.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <sstream>

#include "domain/number.h"
#include "store/failure.h"
#include "store/files.h"

namespace store {
namespace {

constexpr const char* lock_suffix = ".lock";
constexpr const char* note_suffix = ".running";

std::string lock_path_of(const std::string& database) { return database + lock_suffix; }
std::string note_path_of(const std::string& database) { return database + note_suffix; }

// Waits a little: is_owned() of a command holds the lock for an instant.
constexpr int tries_at_start = 25;
constexpr int tries_when_kept = 3;

std::string read_text(int fd) {
  char buffer[1024];
  const ssize_t size = ::pread(fd, buffer, sizeof buffer, 0);
  return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : std::string();
}

std::optional<OwnerNote> note_in(const std::string& text) {
  std::map<std::string, std::string> values;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find('=');
    if (at != std::string::npos) values[line.substr(0, at)] = line.substr(at + 1);
  }
  const auto pid = domain::number_from<pid_t>(values["pid"]);
  const auto generation = domain::number_from<std::uint64_t>(values["generation"]);
  if (!pid || !generation) return std::nullopt;
  return OwnerNote{*pid, values["address"], *generation};
}

std::string text_of(const OwnerNote& note) {
  return "pid=" + std::to_string(note.pid) + "\naddress=" + note.address +
         "\ngeneration=" + std::to_string(note.generation) + "\n";
}

// A lock of the kind that only who may write a file can take, and that others can ask about.
struct flock whole_file(short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool lock_note(int fd) {
  struct flock lock = whole_file(F_WRLCK);
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

// The note of a killed process must not lead to a process that has its pid or port today.
std::optional<OwnerNote> live_note_beside(const std::string& database) {
  const files::Descriptor file = open_plain_beside(database, note_suffix, O_RDONLY);
  struct flock lock = whole_file(F_RDLCK);
  const bool is_live = file.get() >= 0 && ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  return is_live ? note_in(read_text(file.get())) : std::nullopt;
}

Failure already_owned(const std::string& database) {
  std::string who = "another process";
  if (const auto note = live_note_beside(database)) {
    who = "the room-sidecar with pid " + std::to_string(note->pid);
    if (!note->address.empty()) who += " at " + note->address;
  }
  return {Failure::Kind::locked_by_other,
          "the database " + database + " is held by " + who + "; stop that one first, or use another database.path"};
}

bool is_at(const std::string& path, int fd) {
  struct stat there = {};
  struct stat ours = {};
  return ::lstat(reached(path).c_str(), &there) == 0 && ::fstat(fd, &ours) == 0 && there.st_dev == ours.st_dev &&
         there.st_ino == ours.st_ino;
}

files::Descriptor open_lock_file(const std::string& path) {
  files::Descriptor file = open_plain(path, O_RDWR | O_CREAT, 0600);
  // Older versions let everybody read it.
  if (file.get() >= 0 && ::fchmod(file.get(), 0600) == 0) return file;
  return file.get() >= 0 ? std::move(file) : open_plain(path, O_RDONLY);
}

}  // namespace

Owner::Owner(const std::string& database_path) : database_(resolved(database_path)), path_(lock_path_of(database_)) {
  files::Descriptor file = open_lock_file(path_);
  if (file.get() < 0) return;
  if (!lock_file(file, tries_at_start)) throw already_owned(database_);
  lock_ = std::move(file);
}

Owner::~Owner() {
  if (note_.get() >= 0 && is_at(note_path_of(database_), note_.get()))
    ::unlink(reached(note_path_of(database_)).c_str());
}

bool Owner::keep() {
  const locks::MutexLock lock(mutex_);
  return keep_locked();
}

bool Owner::keep_locked() {
  if (lock_.get() >= 0 && is_at(path_, lock_.get())) {
    const bool is_noted = is_written_ && is_at(note_path_of(database_), note_.get());
    if (noted_ && !is_noted) write_note();
    return true;
  }
  files::Descriptor anew = open_lock_file(path_);
  // It may have been deleted again before it was locked: then the next call takes the next one.
  if (anew.get() < 0 || !lock_file(anew, tries_when_kept) || !is_at(path_, anew.get())) return false;
  lock_ = std::move(anew);
  write_note();
  return true;
}

bool Owner::note(const OwnerNote& note) {
  const locks::MutexLock lock(mutex_);
  noted_ = note;
  is_written_ = false;
  return keep_locked() && write_note();
}

bool Owner::write_note() {
  is_written_ = false;
  if (!noted_) return false;
  const std::string path = note_path_of(database_);
  if (note_.get() < 0 || !is_at(path, note_.get())) {
    // Anew, whatever has been put there: the lock is ours. Readable for all who may enter the folder.
    ::unlink(reached(path).c_str());
    files::Descriptor file = open_plain(path, O_RDWR | O_CREAT | O_EXCL, 0644);
    if (file.get() < 0 || !lock_note(file.get())) return false;
    note_ = std::move(file);
  }
  const std::string text = text_of(*noted_);
  const auto size = static_cast<off_t>(text.size());
  is_written_ = ::pwrite(note_.get(), text.data(), text.size(), 0) == size && ::ftruncate(note_.get(), size) == 0;
  return is_written_;
}

std::optional<OwnerNote> read_owner_note(const std::string& database_path) { return live_note_beside(database_path); }

bool is_owned(const std::string& database_path) {
  const files::Descriptor file = open_plain_beside(database_path, lock_suffix, O_RDONLY);
  if (file.get() >= 0) return ::flock(file.get(), LOCK_SH | LOCK_NB) != 0;
  return errno == EACCES && live_note_beside(database_path);
}

}  // namespace store
