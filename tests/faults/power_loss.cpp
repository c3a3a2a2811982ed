// Preloaded into a program, it records what that program does to the files of one folder, so that
// tests/e2e/power_loss.py can make out of the record what a disk would hold had the power failed at
// any instant. $POWER_LOSS_FOLDER: the folder, a real path; folders in it are not looked at.
// $POWER_LOSS_RECORD: the file that grows, one record a call, in the order of the calls.
// Any thread: a call and its record are one step under one lock. Syncs are recorded and not done,
// which spares the real disk. A call that could change a file unrecorded ends the program, with a message on stderr.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

// As power_loss.py reads it; two strings or the written bytes follow.
struct Record {
  char kind;  // Create Write Truncate Sync Folder-sync Link Rename Unlink
  char padding[3];
  uint32_t first;
  uint32_t second;
  uint32_t padding_too;
  uint64_t inode;
  uint64_t number;  // offset or size
};

struct Watched {
  enum Kind : char { no, file, folder } kind;
  bool syncs_each_write;
  uint64_t inode;
};

constexpr int most_descriptors = 8192;
Watched watched[most_descriptors];
char folder[PATH_MAX];
size_t folder_length = 0;
int record_fd = -1;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
thread_local bool inside = false;

[[noreturn]] void give_up(const char* what) {
  fprintf(stderr, "power_loss: %s\n", what);
  abort();
}

template <typename Function>
Function* real(Function*& kept, const char* name) {
  if (kept == nullptr) kept = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  if (kept == nullptr) give_up(name);
  return kept;
}

// Within one, the calls of this file are the real ones.
class Call {
 public:
  Call() : is_outer_(!inside) {
    if (!is_outer_) return;
    pthread_mutex_lock(&mutex);
    inside = true;
    if (record_fd < 0) begin();
  }
  ~Call() {
    if (!is_outer_) return;
    inside = false;
    const int error = errno;
    pthread_mutex_unlock(&mutex);
    errno = error;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool is_watched(int fd) const {
    return is_outer_ && fd >= 0 && fd < most_descriptors && watched[fd].kind != Watched::no;
  }
  bool is_outer() const { return is_outer_; }

 private:
  static void begin() {
    const char* path = getenv("POWER_LOSS_FOLDER");
    const char* record = getenv("POWER_LOSS_RECORD");
    if (path == nullptr || record == nullptr) give_up("POWER_LOSS_FOLDER and _RECORD are not set");
    snprintf(folder, sizeof folder, "%s", path);
    folder_length = strlen(folder);
    const long fd = syscall(SYS_openat, AT_FDCWD, record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    // Away from the numbers that programs expect to get.
    record_fd = static_cast<int>(syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 700));
    if (record_fd < 0) give_up("the record cannot be opened");
    syscall(SYS_close, fd);
  }

  bool is_outer_;
};

void record(char kind, uint64_t inode, uint64_t number, const void* first, size_t first_size, const void* second = "",
            size_t second_size = 0) {
  Record head{};
  head.kind = kind;
  head.first = static_cast<uint32_t>(first_size);
  head.second = static_cast<uint32_t>(second_size);
  head.inode = inode;
  head.number = number;
  iovec parts[] = {
      {&head, sizeof head}, {const_cast<void*>(first), first_size}, {const_cast<void*>(second), second_size}};
  const auto size = static_cast<long>(sizeof head + first_size + second_size);
  if (syscall(SYS_writev, record_fd, parts, 3) != size) give_up("the record cannot be written");
}

void record_names(char kind, const char* first, const char* second = "") {
  record(kind, 0, 0, first, strlen(first), second, strlen(second));
}

// The name in our folder, or null if the path leads elsewhere.
const char* name_of(int at, const char* path, char* buffer) {
  char whole[PATH_MAX];
  if (path[0] == '/') {
    snprintf(whole, sizeof whole, "%s", path);
  } else {
    char base[PATH_MAX] = "";
    if (at == AT_FDCWD) {
      if (getcwd(base, sizeof base) == nullptr) return nullptr;
    } else {
      char link[64];
      snprintf(link, sizeof link, "/proc/self/fd/%d", at);
      const ssize_t size = readlink(link, base, sizeof base - 1);
      if (size < 0) return nullptr;
      base[size] = '\0';
    }
    if (snprintf(whole, sizeof whole, "%s/%s", base, path) >= PATH_MAX) return nullptr;
  }
  char* slash = strrchr(whole, '/');
  snprintf(buffer, NAME_MAX + 1, "%s", slash + 1);
  *slash = '\0';
  char parent[PATH_MAX];
  if (realpath(slash == whole ? "/" : whole, parent) == nullptr) return nullptr;
  return strcmp(parent, folder) == 0 ? buffer : nullptr;
}

void watch(int fd, int flags, bool is_new) {
  if (fd < 0 || fd >= most_descriptors) return;
  watched[fd] = {};
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  char path[PATH_MAX];
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < static_cast<ssize_t>(folder_length)) return;
  path[size] = '\0';
  if (strncmp(path, folder, folder_length) != 0) return;
  struct stat status = {};
  if (fstat(fd, &status) != 0) return;
  if (path[folder_length] == '\0') {
    watched[fd] = {Watched::folder, false, status.st_ino};
    return;
  }
  const char* name = path + folder_length + 1;
  if (path[folder_length] != '/' || strchr(name, '/') != nullptr || !S_ISREG(status.st_mode)) return;
  const char* suffix = strrchr(name, '-');
  if (suffix != nullptr && strcmp(suffix, "-shm") == 0) return;  // mapped; lives no longer than its users
  watched[fd] = {Watched::file, (flags & (O_SYNC | O_DSYNC)) != 0, status.st_ino};
  if (is_new) record('C', status.st_ino, 0, name, strlen(name));
  if ((flags & O_TRUNC) != 0) record('T', status.st_ino, 0, "", 0);
}

int open_at(int at, const char* path, int flags, mode_t mode) {
  using Open = int(int, const char*, int, ...);
  static Open* kept = nullptr;
  Open* open = real(kept, "openat");
  const Call call;
  if (!call.is_outer()) return open(at, path, flags, mode);
  struct stat status = {};
  const bool is_new = (flags & O_CREAT) != 0 && fstatat(at, path, &status, 0) != 0;
  const int fd = open(at, path, flags, mode);
  const int error = errno;
  watch(fd, flags, is_new);
  errno = error;
  return fd;
}

// O_TMPFILE has no name here until it is linked, which nobody does.
mode_t mode_in(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

off_t place_of_next_write(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return lseek(fd, 0, (flags & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
}

void wrote(int fd, off_t offset, const void* data, ssize_t size) {
  if (size <= 0) return;
  record('W', watched[fd].inode, static_cast<uint64_t>(offset), data, static_cast<size_t>(size));
  if (watched[fd].syncs_each_write) record('S', watched[fd].inode, 0, "", 0);
}

ssize_t write_at(int fd, const void* data, size_t size, off_t offset) {
  using Write = ssize_t(int, const void*, size_t, off_t);
  static Write* kept = nullptr;
  Write* write = real(kept, "pwrite");
  const Call call;
  const ssize_t done = write(fd, data, size, offset);
  if (call.is_watched(fd)) wrote(fd, offset, data, done);
  return done;
}

int resize(int fd, off_t size) {
  using Resize = int(int, off_t);
  static Resize* kept = nullptr;
  Resize* ftruncate = real(kept, "ftruncate");
  const Call call;
  const int result = ftruncate(fd, size);
  if (result == 0 && call.is_watched(fd)) {
    record('T', watched[fd].inode, static_cast<uint64_t>(size), "", 0);
  }
  return result;
}

int sync(int fd, const char* name) {
  const Call call;
  if (call.is_watched(fd)) {
    record(watched[fd].kind == Watched::folder ? 'F' : 'S', watched[fd].inode, 0, "", 0);
    return 0;
  }
  using Sync = int(int);
  Sync* none = nullptr;
  return real(none, name)(fd);
}

void* map(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  using Map = void*(void*, size_t, int, int, int, off_t);
  static Map* kept = nullptr;
  Map* mmap = real(kept, "mmap");
  if (fd >= 0 && (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0) {
    const Call call;
    if (call.is_watched(fd)) give_up("a file is written through a mapping, which is not recorded");
  }
  return mmap(address, size, protection, flags, fd, offset);
}

int unlink_at(int at, const char* path, int flags) {
  using Unlink = int(int, const char*, int);
  static Unlink* kept = nullptr;
  Unlink* unlinkat = real(kept, "unlinkat");
  const Call call;
  if (!call.is_outer()) return unlinkat(at, path, flags);
  char name[NAME_MAX + 1];
  const bool is_ours = name_of(at, path, name) != nullptr;
  const int result = unlinkat(at, path, flags);
  if (result == 0 && is_ours) record_names('U', name);
  return result;
}

int rename_at(int from_at, const char* from, int to_at, const char* to) {
  using Rename = int(int, const char*, int, const char*);
  static Rename* kept = nullptr;
  Rename* renameat = real(kept, "renameat");
  const Call call;
  if (!call.is_outer()) return renameat(from_at, from, to_at, to);
  char old_name[NAME_MAX + 1];
  char new_name[NAME_MAX + 1];
  const bool was_ours = name_of(from_at, from, old_name) != nullptr;
  const bool is_ours = name_of(to_at, to, new_name) != nullptr;
  if (was_ours != is_ours) give_up("a file is moved into the folder or out of it");
  const int result = renameat(from_at, from, to_at, to);
  if (result == 0 && is_ours) record_names('R', old_name, new_name);
  return result;
}

int link_at(int from_at, const char* from, int to_at, const char* to, int flags) {
  using Link = int(int, const char*, int, const char*, int);
  static Link* kept = nullptr;
  Link* linkat = real(kept, "linkat");
  const Call call;
  if (!call.is_outer()) return linkat(from_at, from, to_at, to, flags);
  char old_name[NAME_MAX + 1];
  char new_name[NAME_MAX + 1];
  const bool was_ours = name_of(from_at, from, old_name) != nullptr;
  const bool is_ours = name_of(to_at, to, new_name) != nullptr;
  if (was_ours != is_ours) give_up("a file is linked into the folder or out of it");
  const int result = linkat(from_at, from, to_at, to, flags);
  if (result == 0 && is_ours) record_names('L', old_name, new_name);
  return result;
}

}  // namespace

extern "C" {

#define OPEN_LIKE(name)                            \
  int name(const char* path, int flags, ...) {     \
    va_list arguments;                             \
    va_start(arguments, flags);                    \
    const mode_t mode = mode_in(flags, arguments); \
    va_end(arguments);                             \
    return open_at(AT_FDCWD, path, flags, mode);   \
  }
#define OPENAT_LIKE(name)                              \
  int name(int at, const char* path, int flags, ...) { \
    va_list arguments;                                 \
    va_start(arguments, flags);                        \
    const mode_t mode = mode_in(flags, arguments);     \
    va_end(arguments);                                 \
    return open_at(at, path, flags, mode);             \
  }
OPEN_LIKE(open)
OPEN_LIKE(open64)
OPENAT_LIKE(openat)
OPENAT_LIKE(openat64)
int creat(const char* path, mode_t mode) { return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

int close(int fd) {
  using Close = int(int);
  static Close* kept = nullptr;
  Close* close = real(kept, "close");
  const Call call;
  if (call.is_watched(fd)) watched[fd] = {};
  return close(fd);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) { return write_at(fd, data, size, offset); }
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) { return write_at(fd, data, size, offset); }

ssize_t write(int fd, const void* data, size_t size) {
  using Write = ssize_t(int, const void*, size_t);
  static Write* kept = nullptr;
  Write* write = real(kept, "write");
  if (fd < 0 || fd >= most_descriptors || watched[fd].kind == Watched::no) return write(fd, data, size);
  const Call call;
  const off_t offset = place_of_next_write(fd);
  const ssize_t done = write(fd, data, size);
  if (call.is_watched(fd)) wrote(fd, offset, data, done);
  return done;
}

ssize_t writev(int fd, const iovec* parts, int count) {
  using Write = ssize_t(int, const iovec*, int);
  static Write* kept = nullptr;
  Write* writev = real(kept, "writev");
  if (fd < 0 || fd >= most_descriptors || watched[fd].kind == Watched::no) return writev(fd, parts, count);
  const Call call;
  off_t offset = place_of_next_write(fd);
  const ssize_t done = writev(fd, parts, count);
  ssize_t left = done;
  for (int i = 0; call.is_watched(fd) && i < count && left > 0; ++i) {
    const ssize_t part = left < static_cast<ssize_t>(parts[i].iov_len) ? left : static_cast<ssize_t>(parts[i].iov_len);
    wrote(fd, offset, parts[i].iov_base, part);
    offset += part;
    left -= part;
  }
  return done;
}

int ftruncate(int fd, off_t size) noexcept { return resize(fd, size); }
int ftruncate64(int fd, off64_t size) noexcept { return resize(fd, size); }

int fsync(int fd) { return sync(fd, "fsync"); }
int fdatasync(int fd) { return sync(fd, "fdatasync"); }

void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  return map(address, size, protection, flags, fd, offset);
}
void* mmap64(void* address, size_t size, int protection, int flags, int fd, off64_t offset) noexcept {
  return map(address, size, protection, flags, fd, offset);
}

#define NOT_RECORDED(name, target, parameters, arguments)           \
  {                                                                 \
    using Function = decltype(name);                                \
    static Function* kept = nullptr;                                \
    const Call call;                                                \
    if (call.is_watched(target)) give_up(#name " is not recorded"); \
    return real(kept, #name) arguments;                             \
  }
ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset)
    NOT_RECORDED(pwritev, fd, , (fd, parts, count, offset)) int fallocate(int fd, int mode, off_t offset, off_t size)
        NOT_RECORDED(fallocate, fd, , (fd, mode, offset, size)) int posix_fallocate(int fd, off_t offset, off_t size)
            NOT_RECORDED(posix_fallocate, fd, , (fd, offset, size)) ssize_t
    sendfile(int to, int from, off_t* offset, size_t size) noexcept
    NOT_RECORDED(sendfile, to, , (to, from, offset, size)) ssize_t
    copy_file_range(int from, off64_t* there, int to, off64_t* here, size_t size, unsigned flags)
        NOT_RECORDED(copy_file_range, to, , (from, there, to, here, size, flags))

            int unlink(const char* path) noexcept {
  return unlink_at(AT_FDCWD, path, 0);
}
int unlinkat(int at, const char* path, int flags) noexcept { return unlink_at(at, path, flags); }
int rename(const char* from, const char* to) noexcept { return rename_at(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int from_at, const char* from, int to_at, const char* to) noexcept {
  return rename_at(from_at, from, to_at, to);
}
int link(const char* from, const char* to) noexcept { return link_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int from_at, const char* from, int to_at, const char* to, int flags) noexcept {
  return link_at(from_at, from, to_at, to, flags);
}

}  // extern "C"
