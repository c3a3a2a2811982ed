#include "store/plain_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "files/descriptor.h"
#include "store/failure.h"

namespace store {
namespace {

constexpr const char* vfs_name = "room-sidecar-plain";

// Beside files SQLite opens folders, to sync them, and the kernel's source of random bytes.
int open_plain_file(const char* path, int flags, int mode) {
  const int fd = ::open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, static_cast<mode_t>(mode));
  struct stat status = {};
  const bool is_fine = fd >= 0 && ::fstat(fd, &status) == 0 &&
                       (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || std::strcmp(path, "/dev/urandom") == 0);
  if (fd < 0 || is_fine) return fd;
  ::close(fd);
  errno = EINVAL;
  return -1;
}

int keep_name(sqlite3_vfs*, const char* path, int size, char* full_path) {
  const std::size_t length = std::strlen(path);
  if (length >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(full_path, path, length + 1);
  return SQLITE_OK;
}

bool add_vfs() {
  sqlite3_vfs* const usual = sqlite3_vfs_find("unix");
  if (usual == nullptr) return false;
  static sqlite3_vfs plain = *usual;
  plain.zName = vfs_name;
  plain.xFullPathname = keep_name;
  const auto open = reinterpret_cast<sqlite3_syscall_ptr>(open_plain_file);
  // For the whole process: SQLite has one table of these.
  return usual->xSetSystemCall(usual, "open", open) == SQLITE_OK && sqlite3_vfs_register(&plain, 0) == SQLITE_OK;
}

}  // namespace

const char* plain_vfs() {
  static const bool is_there = add_vfs();
  if (!is_there)
    throw Failure(Failure::Kind::unusable, "SQLite has no way to open files without links; use another build of it");
  return vfs_name;
}

}  // namespace store
