#include "store/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "store/failure.h"

namespace store {
namespace {

Descriptor opened(const std::string& path, int flags, mode_t mode = 0) {
  return Descriptor(::open(path.c_str(), flags | O_CLOEXEC, mode));
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

// A file system without attributes has none to lose.
void copy_attributes(const std::string& model, int to) {
  std::vector<char> names(64 * 1024);
  std::vector<char> value(64 * 1024);
  const ssize_t size = ::listxattr(model.c_str(), names.data(), names.size());
  for (ssize_t at = 0; at < size;) {
    const std::string name = &names[static_cast<std::size_t>(at)];
    const ssize_t length = ::getxattr(model.c_str(), name.c_str(), value.data(), value.size());
    if (length >= 0) ::fsetxattr(to, name.c_str(), value.data(), static_cast<std::size_t>(length), 0);
    at += static_cast<ssize_t>(name.size()) + 1;
  }
}

constexpr const char* unfinished = ".unfinished-";

// Locked for as long as somebody works on it.
Descriptor create_locked(int folder, const std::string& name, mode_t mode) {
  for (;;) {
    Descriptor file(::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    struct stat status = {};
    // Where there are no such locks nobody takes it for left behind either.
    const bool is_there =
        file.get() < 0 || ::flock(file.get(), LOCK_EX) != 0 || ::fstat(file.get(), &status) != 0 || status.st_nlink > 0;
    if (is_there) return file;  // else taken for left behind, before it was locked
  }
}

void remove_left_behind(int folder, const std::string& final_name) {
  const std::string beginning = final_name + unfinished;
  const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const list = copy < 0 ? nullptr : ::fdopendir(copy);
  if (list == nullptr) return;
  while (const dirent* entry = ::readdir(list)) {
    const std::string name = entry->d_name;
    if (name.compare(0, beginning.size(), beginning) != 0) continue;
    const Descriptor file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() >= 0 && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlinkat(folder, name.c_str(), 0);
  }
  ::closedir(list);
}

// Real, for what a command of root's does as another user is root's all the same.
void refuse_links_of_others(std::filesystem::path path) {
  if (::getuid() != 0) return;
  constexpr int longest_chain = 40;
  struct stat status = {};
  for (int n = 0; n < longest_chain && ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode); ++n) {
    if (status.st_uid != 0) {
      throw Failure(Failure::Kind::unusable, path.string() +
                                                 " is a link that root does not own, so root does not "
                                                 "follow it; name the file itself");
    }
    std::error_code error;
    const auto target = std::filesystem::read_symlink(path, error);
    if (error) return;
    path = path.parent_path() / target;
  }
}

}  // namespace

std::string resolved(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) throw system_failure("find", path, error.value());
  refuse_links_of_others(absolute);
  const auto real = std::filesystem::weakly_canonical(absolute, error);
  if (error) throw system_failure("find", path, error.value());
  return real.string();
}

std::string placed(const std::string& path) {
  const std::filesystem::path given(path);
  const auto name = given.filename();
  if (name.empty() || name == "." || name == "..") return resolved(path);
  std::error_code error;
  const auto absolute = std::filesystem::absolute(given, error);
  if (error) throw system_failure("find", path, error.value());
  return (std::filesystem::path(resolved(absolute.parent_path().string())) / name).string();
}

bool exists(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0;
}

std::size_t size_of(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return static_cast<std::size_t>(status.st_size);
}

std::optional<FileId> id_of(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
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
    if (::lstat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) continue;
    throw Failure(Failure::Kind::unusable, path + " is no plain file; remove it, or correct database.path");
  }
}

void write_new_file(const std::string& path, const Bytes& content, mode_t mode) {
  const Descriptor file = opened(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (file.get() < 0) throw system_failure("create", path, errno);
  write_all(file.get(), text_of(content), path);
  if (::fsync(file.get()) != 0) throw system_failure("write", path, errno);
}

void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const Descriptor opened_folder = opened(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (opened_folder.get() < 0) throw system_failure("open", folder, errno);
  sync_folder(opened_folder.get(), folder);
}

void copy_plain_file(const std::string& from, const std::string& to) {
  const Descriptor source = opened(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat status = {};
  if (source.get() < 0 || ::fstat(source.get(), &status) != 0) throw system_failure("copy", from, errno);
  if (!S_ISREG(status.st_mode)) throw Failure(Failure::Kind::unusable, from + " is no plain file; remove it");
  const Descriptor target = opened(to, O_WRONLY | O_CREAT | O_EXCL, status.st_mode & 0777);
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

void rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw system_failure("rename a file to", to, errno);
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw system_failure("remove", path, errno);
}

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

PrivateFolder::PrivateFolder(const std::string& parent) : path_(parent + "/room-sidecar-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) throw system_failure("create", path_, errno);
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void Descriptor::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
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

void UnfinishedFile::look_like(const std::string& model) {
  struct stat status = {};
  struct stat made = {};
  if (::stat(model.c_str(), &status) != 0) throw system_failure("find", model, errno);
  if (::fstat(file_.get(), &made) != 0) throw system_failure("find", final_path_, errno);
  const bool differs = made.st_uid != status.st_uid || made.st_gid != status.st_gid;
  if (differs && ::fchown(file_.get(), status.st_uid, status.st_gid) != 0) {
    throw system_failure("give the owner of " + model + " to the new", final_path_, errno);
  }
  if (::fchmod(file_.get(), status.st_mode & 07777) != 0) {
    throw system_failure("give the mode of " + model + " to the new", final_path_, errno);
  }
  copy_attributes(model, file_.get());
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
