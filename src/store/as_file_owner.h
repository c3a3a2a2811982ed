// Lets a command of root's act as the user who owns a database's folder: what that user has put there leads root to
// no file of others, and what is made there can be written by the sidecar. The folder is opened once, by root; then
// everything is reached from there (AtFolderOf), by that user's rights and without any of root's. For single-threaded
// commands; the change is undone in the destructor. Without effect unless root. Throws Failure.
#pragma once

#include <linux/capability.h>
#include <sys/types.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "store/place.h"

namespace store {

class AsFileOwner {
 public:
  // Where the folder is root's: as the owner of the file, or still as root?
  enum class InRootsFolder { owner_of_file, root };
  explicit AsFileOwner(const std::string& path, InRootsFolder in_roots = InRootsFolder::owner_of_file);
  ~AsFileOwner();
  AsFileOwner(const AsFileOwner&) = delete;
  AsFileOwner& operator=(const AsFileOwner&) = delete;

 private:
  using Capabilities = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

  void change_to(uid_t user, gid_t group);
  void change_back();

  std::optional<AtFolderOf> place_;
  bool changed_ = false;
  gid_t old_group_ = 0;
  std::vector<gid_t> old_groups_;
  Capabilities old_capabilities_{};
};

}  // namespace store
