#include "store/owner.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <map>
#include <sstream>
#include <thread>

#include "store/failure.h"
#include "store/files.h"

namespace store {
namespace {

std::string lock_path_of(const std::string& database_path) { return resolved(database_path) + ".lock"; }

// Waits a little: is_owned() of a command holds the lock for an instant.
constexpr int tries_at_start = 25;
constexpr int tries_when_kept = 3;

bool take_lock(int fd, int tries) {
  for (; tries > 0; --tries) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return false;
}

std::string read_text(int fd) {
  char buffer[1024];
  const ssize_t size = ::pread(fd, buffer, sizeof buffer, 0);
  return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : std::string();
}

template <typename Number>
bool parse(const std::string& text, Number& number) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc{} && result.ptr == end;
}

std::optional<OwnerNote> note_in(const std::string& text) {
  std::map<std::string, std::string> values;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find('=');
    if (at != std::string::npos) values[line.substr(0, at)] = line.substr(at + 1);
  }
  OwnerNote note;
  note.address = values["address"];
  if (!parse(values["pid"], note.pid) || !parse(values["generation"], note.generation)) {
    return std::nullopt;
  }
  return note;
}

std::string text_of(const OwnerNote& note) {
  return "pid=" + std::to_string(note.pid) + "\naddress=" + note.address +
         "\ngeneration=" + std::to_string(note.generation) + "\n";
}

Failure already_owned(const std::string& lock_path, const std::string& content) {
  std::string who = "another process";
  if (const auto note = note_in(content)) {
    who = "the room-sidecar with pid " + std::to_string(note->pid);
    if (!note->address.empty()) who += " at " + note->address;
  }
  const std::string database = lock_path.substr(0, lock_path.size() - std::string(".lock").size());
  return {Failure::Kind::locked_by_other,
          "the database " + database + " is held by " + who + "; stop that one first, or use another database.path"};
}

bool is_at(const std::string& path, int fd) {
  struct stat there = {};
  struct stat ours = {};
  return ::stat(path.c_str(), &there) == 0 && ::fstat(fd, &ours) == 0 && there.st_dev == ours.st_dev &&
         there.st_ino == ours.st_ino;
}

struct LockFile {
  int fd = -1;
  bool may_write = false;
};

LockFile open_lock_file(const std::string& path) {
  // Readable for all who may enter the folder: it tells them where to ask.
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd >= 0) return {fd, true};
  return {::open(path.c_str(), O_RDONLY | O_CLOEXEC), false};
}

}  // namespace

Owner::Owner(const std::string& database_path) : path_(lock_path_of(database_path)) {
  const LockFile file = open_lock_file(path_);
  if (file.fd < 0) return;
  if (take_lock(file.fd, tries_at_start)) {
    fd_ = file.fd;
    may_write_ = file.may_write;
    return;
  }
  const std::string content = read_text(file.fd);
  ::close(file.fd);
  throw already_owned(path_, content);
}

Owner::~Owner() {
  if (fd_ < 0) return;
  if (may_write_ && ::ftruncate(fd_, 0) != 0) may_write_ = false;
  ::close(fd_);
}

bool Owner::keep() {
  const locks::MutexLock lock(mutex_);
  return keep_locked();
}

bool Owner::keep_locked() {
  if (fd_ >= 0 && is_at(path_, fd_)) {
    if (noted_ && !is_written_) write_note();
    return true;
  }
  const LockFile anew = open_lock_file(path_);
  if (anew.fd < 0) return false;
  // It may have been deleted again before it was locked: then the next call takes the next one.
  if (!take_lock(anew.fd, tries_when_kept) || !is_at(path_, anew.fd)) {
    ::close(anew.fd);
    return false;
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = anew.fd;
  may_write_ = anew.may_write;
  write_note();
  return true;
}

bool Owner::note(const OwnerNote& note) {
  const locks::MutexLock lock(mutex_);
  noted_ = note;
  is_written_ = false;
  return keep_locked() && write_note();
}

// By a descriptor of its own, since ours is for reading only if the disk was when it was opened. (Unlike
// SQLite's locks, a flock stays when another descriptor of its file is closed.)
bool Owner::write_note() {
  is_written_ = false;
  if (!noted_) return false;
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const std::string text = text_of(*noted_);
  const auto size = static_cast<off_t>(text.size());
  is_written_ = ::pwrite(fd, text.data(), text.size(), 0) == size && ::ftruncate(fd, size) == 0;
  ::close(fd);
  return is_written_;
}

std::optional<OwnerNote> read_owner_note(const std::string& database_path) {
  // What a killed process left behind must not lead anyone to whoever has its pid or port today.
  if (!is_owned(database_path)) return std::nullopt;
  const int fd = ::open(lock_path_of(database_path).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  const std::string content = read_text(fd);
  ::close(fd);
  return note_in(content);
}

bool is_owned(const std::string& database_path) {
  const int fd = ::open(lock_path_of(database_path).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_free = ::flock(fd, LOCK_SH | LOCK_NB) == 0;
  ::close(fd);
  return !is_free;
}

}  // namespace store
