// Preloaded into a program (LD_PRELOAD), makes calls on the files of one folder fail as a control file
// says at that moment, without any privilege. Any thread. What it does not know it lets pass.
//
//   FAILING_FILES_UNDER    the folder: its real path, without a slash at the end
//   FAILING_FILES_CONTROL  the control file, elsewhere; missing or empty: nothing fails. Replace it by
//                          rename(2), so that nobody reads half of it. One rule a line:
//                            CALL ERROR [ENDING]     read EIO .db
//                            CALL MILLISECONDS       fsync 3000
//                          CALL is open (for writing or making, and asking whether that may be done),
//                          write, fsync or read; ERROR is EIO, ENOSPC, EROFS or EACCES; ENDING is that
//                          of the file's name; a number makes the call slow and then succeed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int number_of(const char* name) {
  if (strcmp(name, "EIO") == 0) return EIO;
  if (strcmp(name, "ENOSPC") == 0) return ENOSPC;
  if (strcmp(name, "EROFS") == 0) return EROFS;
  if (strcmp(name, "EACCES") == 0) return EACCES;
  return 0;
}

static void sleep_for(long milliseconds) {
  struct timespec rest = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
  }
}

static int ends_with(const char* text, const char* ending) {
  const size_t length = strlen(text), wanted = strlen(ending);
  return length >= wanted && strcmp(text + length - wanted, ending) == 0;
}

// By the kernel's own calls, since the library's are those below.
static size_t control_text(char* text, size_t room) {
  const char* control = getenv("FAILING_FILES_CONTROL");
  if (!control) return 0;
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const long size = syscall(SYS_read, fd, text, room - 1);
  syscall(SYS_close, fd);
  return size > 0 ? (size_t)size : 0;
}

// The path as an absolute one: a command may have made the folder its current one.
static const char* whole_of(const char* path, char* whole, size_t room) {
  if (path[0] == '/') return path;
  if (!getcwd(whole, room)) return NULL;
  if (strncmp(path, "./", 2) == 0) path += 2;
  const size_t length = strlen(whole);
  if (strcmp(path, ".") != 0) snprintf(whole + length, room - length, "/%s", path);
  return whole;
}

// The error with which this call on this file is to fail, or 0; sleeps where a rule says so.
static int verdict(const char* call, const char* path) {
  const char* folder = getenv("FAILING_FILES_UNDER");
  char whole[8192];
  path = folder && path ? whole_of(path, whole, sizeof whole) : NULL;
  if (!path) return 0;
  const size_t length = strlen(folder);
  if (strncmp(path, folder, length) != 0 || (path[length] != '/' && path[length] != '\0')) return 0;
  char text[1024];
  text[control_text(text, sizeof text)] = '\0';
  char* next = NULL;
  for (char* line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
    char of[16], what[16], ending[64] = "";
    if (sscanf(line, "%15s %15s %63s", of, what, ending) < 2) continue;
    if (strcmp(of, call) != 0 || !ends_with(path, ending)) continue;
    const int error = number_of(what);
    if (error != 0) return error;
    sleep_for(atol(what));
  }
  return 0;
}

static int verdict_of(const char* call, int fd) {
  const int before = errno;
  char name[32], path[4096];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(name, path, sizeof path - 1);
  if (size >= 0) path[size] = '\0';
  char* deleted = size >= 0 ? strstr(path, " (deleted)") : NULL;
  if (deleted) *deleted = '\0';
  const int error = size >= 0 ? verdict(call, path) : 0;
  errno = before;
  return error;
}

#define REFUSE_IF(error, result) \
  do {                           \
    const int refused = (error); \
    if (refused != 0) {          \
      errno = refused;           \
      return (result);           \
    }                            \
  } while (0)

// real(name) is the next function of that name, of the type of ours.
#define REAL(name) ((__typeof__(&name))next_named(#name))
static void* next_named(const char* name) { return dlsym(RTLD_NEXT, name); }

static int is_for_writing(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;
}

#define OPEN(name)                                                      \
  int name(const char* path, int flags, ...) {                          \
    va_list rest;                                                       \
    va_start(rest, flags);                                              \
    const mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;   \
    va_end(rest);                                                       \
    REFUSE_IF(is_for_writing(flags) ? verdict("open", path) : 0, -1);   \
    return REAL(name)(path, flags, mode);                               \
  }
OPEN(open)
OPEN(open64)

// A path under a folder that is open.
static int verdict_at(int folder, const char* path) {
  if (path[0] == '/' || folder == AT_FDCWD) return verdict("open", path);
  char name[32], whole[8192];
  snprintf(name, sizeof name, "/proc/self/fd/%d", folder);
  const ssize_t size = readlink(name, whole, 4096);
  if (size < 0) return 0;
  snprintf(whole + size, sizeof whole - (size_t)size, "/%s", path);
  return verdict("open", whole);
}

#define OPENAT(name)                                                       \
  int name(int folder, const char* path, int flags, ...) {                 \
    va_list rest;                                                          \
    va_start(rest, flags);                                                 \
    const mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;      \
    va_end(rest);                                                          \
    REFUSE_IF(is_for_writing(flags) ? verdict_at(folder, path) : 0, -1);   \
    return REAL(name)(folder, path, flags, mode);                          \
  }
OPENAT(openat)
OPENAT(openat64)

int access(const char* path, int mode) {
  REFUSE_IF(mode & W_OK ? verdict("open", path) : 0, -1);
  return REAL(access)(path, mode);
}

int faccessat(int folder, const char* path, int mode, int flags) {
  REFUSE_IF(mode & W_OK ? verdict("open", path) : 0, -1);
  return REAL(faccessat)(folder, path, mode, flags);
}

ssize_t read(int fd, void* to, size_t size) {
  REFUSE_IF(verdict_of("read", fd), -1);
  return REAL(read)(fd, to, size);
}

ssize_t write(int fd, const void* from, size_t size) {
  REFUSE_IF(verdict_of("write", fd), -1);
  return REAL(write)(fd, from, size);
}

#define READ_AT(name, offset_type)                              \
  ssize_t name(int fd, void* to, size_t size, offset_type at) { \
    REFUSE_IF(verdict_of("read", fd), -1);                      \
    return REAL(name)(fd, to, size, at);                        \
  }
READ_AT(pread, off_t)
READ_AT(pread64, off64_t)

// Copies between two files in the kernel.
ssize_t sendfile(int to, int from, off_t* at, size_t size) {
  REFUSE_IF(verdict_of("read", from), -1);
  return REAL(sendfile)(to, from, at, size);
}

ssize_t copy_file_range(int from, off64_t* at, int to, off64_t* to_at, size_t size, unsigned flags) {
  REFUSE_IF(verdict_of("read", from), -1);
  return REAL(copy_file_range)(from, at, to, to_at, size, flags);
}

#define WRITE_AT(name, offset_type)                                     \
  ssize_t name(int fd, const void* from, size_t size, offset_type at) { \
    REFUSE_IF(verdict_of("write", fd), -1);                             \
    return REAL(name)(fd, from, size, at);                              \
  }
WRITE_AT(pwrite, off_t)
WRITE_AT(pwrite64, off64_t)

#define ON_DESCRIPTOR(name)               \
  int name(int fd) {                      \
    REFUSE_IF(verdict_of("fsync", fd), -1); \
    return REAL(name)(fd);                \
  }
ON_DESCRIPTOR(fsync)
ON_DESCRIPTOR(fdatasync)

#define TRUNCATE(name, offset_type)        \
  int name(int fd, offset_type size) {     \
    REFUSE_IF(verdict_of("write", fd), -1); \
    return REAL(name)(fd, size);           \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)
