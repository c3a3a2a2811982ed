#include "store/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "store/failure.h"

namespace store {
namespace {

files::Descriptor opened(const std::string& path, int flags, mode_t mode = 0) {
  return files::Descriptor(::open(reached(path).c_str(), flags | O_CLOEXEC, mode));
}

std::string_view text_of(const Bytes& content) {
  return {reinterpret_cast<const char*>(content.data()), content.size()};
}

void write_all(int fd, std::string_view content, const std::string& path) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::write(fd, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_failure("write", path, errno);
    done += static_cast<std::size_t>(n);
  }
}

void sync_folder(int folder, const std::string& path) {
  // Some file systems do not sync folders and say EINVAL; there is nothing more to be had there.
  if (::fsync(folder) != 0 && errno != EINVAL) throw system_failure("write", path, errno);
}

// A file system without attributes has none to lose. Those that give a program rights are not copied.
void copy_attributes(int model, int to) {
  std::vector<char> names(64 * 1024);
  std::vector<char> value(64 * 1024);
  const ssize_t size = ::flistxattr(model, names.data(), names.size());
  for (ssize_t at = 0; at < size;) {
    const std::string name = &names[static_cast<std::size_t>(at)];
    const ssize_t length = ::fgetxattr(model, name.c_str(), value.data(), value.size());
    if (length >= 0 && !name.starts_with("security."))
      ::fsetxattr(to, name.c_str(), value.data(), static_cast<std::size_t>(length), 0);
    at += static_cast<ssize_t>(name.size()) + 1;
  }
}

constexpr const char* unfinished = ".unfinished-";

// Locked for as long as somebody works on it.
files::Descriptor create_locked(int folder, const std::string& name, mode_t mode) {
  constexpr int tries = 100;
  constexpr int lock_tries = 100;
  for (int n = 0; n < tries; ++n) {
    files::Descriptor file(::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    struct stat status = {};
    if (file.get() < 0) return file;
    // Another process can lock it for ever. Where there are no such locks it is not taken for left behind either.
    if (!lock_file(file, lock_tries) && errno == EWOULDBLOCK) {
      ::unlinkat(folder, name.c_str(), 0);
      break;
    }
    if (::fstat(file.get(), &status) != 0 || status.st_nlink > 0) return file;
    // Else taken for left behind, before it was locked.
  }
  errno = EWOULDBLOCK;
  return files::Descriptor();
}

void remove_left_behind(int folder, const std::string& final_name) {
  const std::string beginning = final_name + unfinished;
  const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const list = copy < 0 ? nullptr : ::fdopendir(copy);
  if (list == nullptr) return;
  while (const dirent* entry = ::readdir(list)) {
    const std::string name = entry->d_name;
    if (name.compare(0, beginning.size(), beginning) != 0) continue;
    const files::Descriptor file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() >= 0 && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlinkat(folder, name.c_str(), 0);
  }
  ::closedir(list);
}

}  // namespace

bool lock_file(const files::Descriptor& file, int tries) {
  for (; tries > 0; --tries) {
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  errno = EWOULDBLOCK;
  return false;
}

bool exists(const std::string& path) {
  struct stat status = {};
  return ::stat(reached(path).c_str(), &status) == 0;
}

std::size_t size_of(const std::string& path) {
  struct stat status = {};
  if (::stat(reached(path).c_str(), &status) != 0) return 0;
  return static_cast<std::size_t>(status.st_size);
}

std::optional<FileId> id_of(const std::string& path) {
  struct stat status = {};
  if (::stat(reached(path).c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

bool is_same_file(const std::string& one, const std::string& other) {
  const auto id = id_of(one);
  return id && id == id_of(other);
}

void require_plain_files(const std::string& database_path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    const std::string path = database_path + suffix;
    struct stat status = {};
    if (::lstat(reached(path).c_str(), &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) continue;
    throw Failure(Failure::Kind::unusable, path + " is no plain file; remove it, or correct database.path");
  }
}

void write_new_file(const std::string& path, const Bytes& content, mode_t mode) {
  const files::Descriptor file = opened(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (file.get() < 0) throw system_failure("create", path, errno);
  write_all(file.get(), text_of(content), path);
  if (::fsync(file.get()) != 0) throw system_failure("write", path, errno);
}

void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const files::Descriptor opened_folder = opened(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (opened_folder.get() < 0) throw system_failure("open", folder, errno);
  sync_folder(opened_folder.get(), folder);
}

void copy_plain_file(const std::string& from, const std::string& to) {
  const files::Descriptor source = open_plain(from, O_RDONLY);
  if (source.get() < 0 && errno == EINVAL)
    throw Failure(Failure::Kind::unusable, from + " is no plain file; remove it");
  struct stat status = {};
  if (source.get() < 0 || ::fstat(source.get(), &status) != 0) throw system_failure("copy", from, errno);
  const files::Descriptor target = opened(to, O_WRONLY | O_CREAT | O_EXCL, status.st_mode & 0777);
  if (target.get() < 0) throw system_failure("create", to, errno);
  Bytes part(1 << 20);
  for (;;) {
    const ssize_t n = ::read(source.get(), part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_failure("copy", from, errno);
    if (n == 0) return;
    write_all(target.get(), text_of(part).substr(0, static_cast<std::size_t>(n)), to);
  }
}

bool fill(const files::Descriptor& file, Bytes& part) {
  for (std::size_t done = 0; done < part.size();) {
    const ssize_t n = ::read(file.get(), part.data() + done, part.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

void rename_file(const std::string& from, const std::string& to) {
  if (::rename(reached(from).c_str(), reached(to).c_str()) != 0) throw system_failure("rename a file to", to, errno);
}

void remove_file(const std::string& path) {
  if (::unlink(reached(path).c_str()) != 0 && errno != ENOENT) throw system_failure("remove", path, errno);
}

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder == '/' ? folder : "/tmp";
}

PrivateFolder::PrivateFolder(const std::string& parent) : path_(parent + "/room-sidecar-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) throw system_failure("create", path_, errno);
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

UnfinishedFile::UnfinishedFile(const std::string& final_path, const Bytes& content, mode_t mode)
    : UnfinishedFile(final_path, text_of(content), mode) {}

UnfinishedFile::UnfinishedFile(const std::string& final_path, std::string_view content, mode_t mode)
    : final_path_(final_path) {
  const std::filesystem::path path(final_path);
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  final_name_ = path.filename().string();
  folder_ = opened(folder, O_RDONLY | O_DIRECTORY);
  if (folder_.get() < 0) throw system_failure("open", folder, errno);
  remove_left_behind(folder_.get(), final_name_);
  name_ = final_name_ + unfinished + std::to_string(::getpid());
  file_ = create_locked(folder_.get(), name_, mode);
  if (file_.get() < 0) throw system_failure("create", final_path_ + unfinished, errno);
  try {
    write_all(file_.get(), content, final_path_);
    sync();
  } catch (...) {
    remove();
    throw;
  }
}

UnfinishedFile::~UnfinishedFile() { remove(); }

void UnfinishedFile::remove() noexcept {
  if (!name_.empty()) ::unlinkat(folder_.get(), name_.c_str(), 0);
  close();
}

void UnfinishedFile::sync() const {
  if (::fsync(file_.get()) != 0) throw system_failure("write", final_path_, errno);
}

void UnfinishedFile::give_to(uid_t owner, gid_t group) {
  struct stat made = {};
  if (::fstat(file_.get(), &made) != 0) throw system_failure("find", final_path_, errno);
  const bool is_theirs = made.st_uid == owner && made.st_gid == group;
  if (!is_theirs && ::fchown(file_.get(), owner, group) != 0) throw system_failure("give away", final_path_, errno);
}

void UnfinishedFile::look_like(const std::string& model) {
  const files::Descriptor like = open_plain(model, O_RDONLY);
  struct stat status = {};
  if (like.get() < 0 || ::fstat(like.get(), &status) != 0) throw system_failure("read", model, errno);
  give_to(status.st_uid, status.st_gid);
  if (::fchmod(file_.get(), status.st_mode & 0777) != 0) {
    throw system_failure("give the mode of " + model + " to the new", final_path_, errno);
  }
  copy_attributes(like.get(), file_.get());
  sync();
}

void UnfinishedFile::rename_to_final() {
  if (::renameat(folder_.get(), name_.c_str(), folder_.get(), final_name_.c_str()) != 0) {
    throw system_failure("rename a file to", final_path_, errno);
  }
  name_.clear();
  close();
  sync_folder(folder_.get(), final_path_);
}

void UnfinishedFile::link_to_final() {
  if (::linkat(folder_.get(), name_.c_str(), folder_.get(), final_name_.c_str(), 0) != 0) {
    throw system_failure("create", final_path_, errno);
  }
  remove();
  name_.clear();
  sync_folder(folder_.get(), final_path_);
}

}  // namespace store
