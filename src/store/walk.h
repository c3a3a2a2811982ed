// Goes along a path from folder to folder by what it has opened. Private to store/. One thread at a time. Throws Failure.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "files/descriptor.h"

namespace store {

std::string absolute(const std::string& path);
// A name in a folder whose path is absolute.
std::string joined(const std::string& folder, const std::string& name);

// As systemd does it (CHASE_SAFE), what another user owns leads root nowhere but to that user's own. Real, for what a
// command of root's does as another user is root's all the same.
class Walk {
 public:
  explicit Walk(const std::string& path);

  // The real path, as far as it exists.
  std::string end() const;

  struct Folder {
    files::Descriptor opened;
    std::string path;
    struct stat status;
  };
  // What it ends at, which must be a folder.
  Folder take_end();
  // The folder of what it ends at.
  Folder take_folder();
  // The file that it ends at, if there is one.
  const std::optional<struct stat>& file() const { return file_; }

 private:
  // In place of what was to come next.
  void plan(const std::string& path);
  void step();
  files::Descriptor open_next(const std::string& name, int flags) const;
  void enter(files::Descriptor folder, const std::string& path);
  void follow(const files::Descriptor& link, const struct stat& status, const std::string& here);
  void judge(uid_t owner, const std::string& link, const std::string& target);
  void require_same_owner(const Folder& folder) const;

  const std::string path_;
  std::vector<std::string> names_;  // still to come, the next one last
  std::vector<Folder> folders_;     // through which it came here
  std::string rest_;                // behind the last folder: a file, or what is not there
  std::optional<struct stat> file_;
  int links_ = 0;
  std::optional<std::string> link_;  // the last one that root does not own, and what it is
  uid_t link_owner_ = 0;
};

}  // namespace store
