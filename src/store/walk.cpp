#include "store/walk.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <utility>

#include "store/failure.h"

namespace store {
namespace {

namespace fs = std::filesystem;

bool is_no_step(const std::string& name) { return name.empty() || name == "."; }

}  // namespace

std::string absolute(const std::string& path) {
  std::error_code error;
  const auto whole = fs::absolute(path, error);
  if (error) throw system_failure("find", path, error.value());
  return whole.string();
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder == "/" ? folder + name : folder + '/' + name;
}

Walk::Walk(const std::string& path) : path_(path) {
  plan(absolute(path));
  enter(files::Descriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)), "/");
  while (!names_.empty() && rest_.empty()) step();
}

std::string Walk::end() const {
  const std::string& folder = folders_.back().path;
  return rest_.empty() ? folder : fs::path(joined(folder, rest_)).lexically_normal().string();
}

Walk::Folder Walk::take_end() {
  if (!rest_.empty()) throw system_failure("find", end(), file_ ? ENOTDIR : ENOENT);
  return std::move(folders_.back());
}

Walk::Folder Walk::take_folder() {
  if (rest_.find('/') != rest_.npos) throw system_failure("find", fs::path(end()).parent_path().string(), ENOENT);
  if (rest_.empty() && folders_.size() > 1) folders_.pop_back();
  return std::move(folders_.back());
}

void Walk::plan(const std::string& path) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    names.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  names_.insert(names_.end(), names.rbegin(), names.rend());
}

void Walk::step() {
  const std::string name = std::move(names_.back());
  names_.pop_back();
  if (is_no_step(name)) return;
  if (name == "..") {
    // To where we came from, wherever the folder may have been moved to.
    if (folders_.size() > 1) folders_.pop_back();
    return require_same_owner(folders_.back());
  }
  files::Descriptor next = open_next(name, O_PATH);
  if (next.get() < 0 && errno != ENOENT && errno != ENOTDIR) throw system_failure("find", path_, errno);
  struct stat status = {};
  if (next.get() >= 0 && ::fstat(next.get(), &status) != 0) throw system_failure("find", path_, errno);
  const std::string here = joined(folders_.back().path, name);
  if (next.get() >= 0 && S_ISLNK(status.st_mode)) return follow(next, status, here);
  if (next.get() >= 0 && S_ISDIR(status.st_mode)) {
    struct statfs system = {};
    // Opened for its path alone, it would not be mounted.
    if (::fstatfs(next.get(), &system) == 0 && system.f_type == AUTOFS_SUPER_MAGIC) {
      next = open_next(name, O_RDONLY | O_DIRECTORY);
    }
    return enter(std::move(next), here);
  }
  if (next.get() >= 0) file_ = status;
  rest_ = name;
  for (; !names_.empty(); names_.pop_back()) {
    if (!is_no_step(names_.back())) rest_ += '/' + names_.back();
  }
}

files::Descriptor Walk::open_next(const std::string& name, int flags) const {
  return files::Descriptor(::openat(folders_.back().opened.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
}

void Walk::enter(files::Descriptor folder, const std::string& path) {
  struct stat status = {};
  if (folder.get() < 0 || ::fstat(folder.get(), &status) != 0) throw system_failure("find", path_, errno);
  folders_.push_back({std::move(folder), path, status});
  require_same_owner(folders_.back());
}

void Walk::follow(const files::Descriptor& link, const struct stat& status, const std::string& here) {
  constexpr int longest_chain = 40;
  if (++links_ > longest_chain) throw system_failure("find", path_, ELOOP);
  std::array<char, PATH_MAX> target;
  const ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
  if (size <= 0) throw system_failure("find", path_, errno);
  const std::string to(target.data(), static_cast<std::size_t>(size));
  if (::getuid() == 0) judge(status.st_uid, here, to);
  plan(to);
  if (to.front() != '/') return;
  folders_.erase(folders_.begin() + 1, folders_.end());
  require_same_owner(folders_.back());
}

void Walk::judge(uid_t owner, const std::string& link, const std::string& target) {
  const bool is_last = std::all_of(names_.begin(), names_.end(), is_no_step);
  if (is_last && owner != 0) {
    throw Failure(Failure::Kind::unusable, link +
                                               " is a link that root does not own, so root does not follow it; "
                                               "name the file itself");
  }
  const uid_t of_folder = folders_.back().status.st_uid;
  const bool is_foreign = of_folder != 0 && of_folder != owner;  // its folder's owner may have moved it there
  if (is_foreign || (link_ && owner != link_owner_)) {
    throw Failure(Failure::Kind::unusable,
                  link + " is a link of user " + std::to_string(owner) + "'s in what user " +
                      std::to_string(is_foreign ? of_folder : link_owner_) +
                      " owns, so root does not follow it; name the place itself, or put a folder there");
  }
  if (owner == 0) return;
  link_ = link + " is a link of user " + std::to_string(owner) + "'s to " + target;
  link_owner_ = owner;
}

void Walk::require_same_owner(const Folder& folder) const {
  if (!link_ || folder.status.st_uid == link_owner_) return;
  throw Failure(Failure::Kind::unusable, *link_ + ", but that user does not own " + folder.path +
                                             ", so root does not follow it; name the place itself, or put a "
                                             "folder there");
}

}  // namespace store
