#include "store/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "store/failure.h"

namespace store {
namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, mode_t mode = 0)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void write_all(int fd, const Bytes& content, const std::string& path) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::write(fd, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_failure("write", path, errno);
    done += static_cast<std::size_t>(n);
  }
}

constexpr const char* unfinished = ".unfinished-";

// Locked for as long as somebody works on it, or -1.
int create_locked(const std::string& path, mode_t mode) {
  for (;;) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return -1;
    struct stat status = {};
    // Where there are no such locks nobody takes it for left behind either.
    if (::flock(fd, LOCK_EX) != 0 || ::fstat(fd, &status) != 0 || status.st_nlink > 0) return fd;
    ::close(fd);  // taken for left behind, before it was locked
  }
}

void remove_left_behind(const std::string& final_path) {
  const std::filesystem::path path(final_path);
  const std::string beginning = path.filename().string() + unfinished;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path.parent_path(), error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.compare(0, beginning.size(), beginning) != 0) continue;
    const Descriptor file(at->path().string(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (file.get() >= 0 && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      ::unlink(at->path().c_str());
    }
  }
}

}  // namespace

std::string resolved(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) throw system_failure("find", path, error.value());
  const auto real = std::filesystem::weakly_canonical(absolute, error);
  if (error) throw system_failure("find", path, error.value());
  return real.string();
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

void write_new_file(const std::string& path, const Bytes& content, mode_t mode) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (file.get() < 0) throw system_failure("create", path, errno);
  write_all(file.get(), content, path);
  if (::fsync(file.get()) != 0) throw system_failure("write", path, errno);
}

void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const Descriptor opened(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (opened.get() < 0) throw system_failure("open", folder, errno);
  // Some file systems do not sync folders and say EINVAL; there is nothing more to be had there.
  if (::fsync(opened.get()) != 0 && errno != EINVAL) throw system_failure("write", folder, errno);
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

UnfinishedFile::UnfinishedFile(const std::string& final_path, const Bytes& content, mode_t mode)
    : final_path_(final_path), path_(final_path + unfinished + std::to_string(::getpid())) {
  remove_left_behind(final_path);
  fd_ = create_locked(path_, mode);
  if (fd_ < 0) throw system_failure("create", path_, errno);
  try {
    write_all(fd_, content, path_);
    if (::fsync(fd_) != 0) throw system_failure("write", path_, errno);
  } catch (...) {
    remove();
    throw;
  }
}

UnfinishedFile::~UnfinishedFile() { remove(); }

void UnfinishedFile::remove() noexcept {
  if (!path_.empty()) ::unlink(path_.c_str());
  close();
}

void UnfinishedFile::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void UnfinishedFile::rename_to_final() {
  rename_file(path_, final_path_);
  path_.clear();
  close();
  sync_folder_of(final_path_);
}

}  // namespace store
