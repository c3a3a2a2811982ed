#include "store/place.h"

#include <fcntl.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <filesystem>

#include "store/failure.h"
#include "store/walk.h"

namespace store {
namespace {

namespace fs = std::filesystem;

// Other threads go on with whole paths.
thread_local const AtFolderOf* at_folder = nullptr;

files::Descriptor open_plain_at(int folder, const std::string& name, int flags, mode_t mode) {
  constexpr int careful = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  files::Descriptor file(::openat(folder, name.c_str(), flags | careful, mode));
  struct stat status = {};
  if (file.get() >= 0 && (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))) {
    file.close();
    errno = EINVAL;
  }
  return file;
}

}  // namespace

std::string resolved(const std::string& path) {
  if (at_folder != nullptr && (path == at_folder->given() || path == at_folder->file())) return at_folder->file();
  return Walk(path).end();
}

std::string placed(const std::string& path) {
  const auto name = fs::path(path).filename();
  if (name.empty() || name == "." || name == "..") return resolved(path);
  return (fs::path(resolved(fs::path(absolute(path)).parent_path().string())) / name).string();
}

std::string reached(const std::string& path) {
  if (at_folder == nullptr) return path;
  const std::string& folder = at_folder->folder();
  if (path == folder) return ".";
  const std::string beginning = joined(folder, "");
  const bool is_in_it =
      path.compare(0, beginning.size(), beginning) == 0 && path.find('/', beginning.size()) == path.npos;
  return is_in_it ? "./" + path.substr(beginning.size()) : path;
}

bool is_at_a_folder() { return at_folder != nullptr; }

files::Descriptor open_plain(const std::string& path, int flags, mode_t mode) {
  return open_plain_at(AT_FDCWD, reached(path), flags, mode);
}

files::Descriptor open_plain_beside(const std::string& path, const char* suffix, int flags) {
  if (at_folder != nullptr) return open_plain(resolved(path) + suffix, flags);
  Walk walk(path);
  const std::string name = fs::path(walk.end()).filename().string() + suffix;
  return open_plain_at(walk.take_folder().opened.get(), name, flags, 0);
}

AtFolderOf::AtFolderOf(const std::string& path, Last last) : given_(path) {
  assert(at_folder == nullptr);
  const bool keeps_last = last == Last::kept;
  const fs::path whole(absolute(path));
  Walk walk(keeps_last ? whole.parent_path().string() : path);
  file_ = keeps_last ? joined(walk.end(), whole.filename().string()) : walk.end();
  const Walk::Folder folder = keeps_last ? walk.take_end() : walk.take_folder();
  folder_ = folder.path;
  folder_status_ = folder.status;
  file_status_ = walk.file();
  // The user may have no right to the current folder. Then the command ends in this one.
  before_ = files::Descriptor(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (::fchdir(folder.opened.get()) != 0) throw system_failure("enter", folder_, errno);
  at_folder = this;
}

AtFolderOf::~AtFolderOf() {
  at_folder = nullptr;
  // Where that fails the command ends soon, and names no file by a relative path any more.
  const int result = ::fchdir(before_.get());
  static_cast<void>(result);
}

}  // namespace store
