#include "cli/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "cli/table.h"
#include "cli/terminal.h"

namespace cli {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw CommandFailed("cannot write " + printable(path) + ": " + std::strerror(error) + "; it is unchanged");
}

// Where the links end. A link to nothing is an error: nobody can tell what was meant to stand there.
std::string target_of(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  if (status.type() != std::filesystem::file_type::symlink) return path;
  const auto target = std::filesystem::canonical(path, error);
  if (!error) return target.string();
  throw CommandFailed(printable(path) + " is a link to a file that is not there (" + error.message() +
                      "); mend the link");
}

// A new file beside the one that it is to replace; gone again unless it was put in place.
class Draft {
 public:
  explicit Draft(const std::string& target) : target_(target), name_(target + ".XXXXXX") {
    fd_ = ::mkostemp(name_.data(), O_CLOEXEC);
    if (fd_ < 0) fail(target_, errno);
  }
  ~Draft() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(name_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  void look_like(const std::string& model) {
    struct stat status {};
    if (::stat(model.c_str(), &status) != 0) {
      require(::fchmod(fd_, 0644) == 0);
      return;
    }
    require(::fchown(fd_, status.st_uid, status.st_gid) == 0);
    require(::fchmod(fd_, status.st_mode & 07777) == 0);
    copy_attributes(model);
  }

  void write(const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t count = ::write(fd_, text.data() + done, text.size() - done);
      if (count < 0 && errno == EINTR) continue;
      require(count > 0);
      done += static_cast<std::size_t>(count);
    }
    require(::fsync(fd_) == 0);
  }

  void put_in_place() {
    require(::rename(name_.c_str(), target_.c_str()) == 0);
    ::close(fd_);
    fd_ = -1;
    auto folder = std::filesystem::path(target_).parent_path();
    if (folder.empty()) folder = ".";
    const int at = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) return;  // in place all the same
    ::fsync(at);
    ::close(at);
  }

 private:
  void require(bool done) const {
    if (!done) fail(target_, errno);
  }

  // An ACL may be what lets the sidecar read the file. A file system without them has none to lose.
  void copy_attributes(const std::string& model) const {
    std::vector<char> names(64 * 1024);
    const ssize_t size = ::listxattr(model.c_str(), names.data(), names.size());
    for (ssize_t at = 0; at < size; at += static_cast<ssize_t>(std::strlen(&names[static_cast<std::size_t>(at)])) + 1) {
      const char* name = &names[static_cast<std::size_t>(at)];
      std::vector<char> value(64 * 1024);
      const ssize_t length = ::getxattr(model.c_str(), name, value.data(), value.size());
      if (length >= 0) ::fsetxattr(fd_, name, value.data(), static_cast<std::size_t>(length), 0);
    }
  }

  std::string target_;
  std::string name_;
  int fd_ = -1;
};

}  // namespace

std::optional<std::string> read_whole(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw CommandFailed("cannot read " + printable(path) + ": " + std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) throw CommandFailed(printable(path) + " is no plain file; nothing was changed");
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad())
    throw CommandFailed("cannot read " + printable(path) + ": " + std::strerror(errno));
  return text;
}

void replace_file(const std::string& path, const std::string& text, const std::string& like) {
  const auto target = target_of(path);
  std::error_code error;
  const bool is_there = std::filesystem::exists(target, error);
  Draft draft(target);
  draft.look_like(is_there ? target : like);
  draft.write(text);
  draft.put_in_place();
}

}  // namespace cli
