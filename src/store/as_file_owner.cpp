#include "store/as_file_owner.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/failure.h"

namespace store {
namespace {

__user_cap_header_struct of_this_process() { return {_LINUX_CAPABILITY_VERSION_3, 0}; }

}  // namespace

AsFileOwner::AsFileOwner(const std::string& path, InRootsFolder in_roots) : old_group_(::getegid()) {
  if (::geteuid() != 0) return;
  place_.emplace(path);
  const struct stat& folder = place_->folder_status();
  const auto& file = place_->file_status();
  const bool is_file = file && S_ISREG(file->st_mode);
  const bool is_of_file = folder.st_uid == 0 && in_roots == InRootsFolder::owner_of_file && is_file;
  const uid_t user = is_of_file ? file->st_uid : folder.st_uid;
  if (user == 0) return;
  change_to(user, is_file && file->st_uid == user ? file->st_gid : folder.st_gid);
  // Nobody but root uses a database in a folder that its owner may not enter, and nobody but root may write.
  const bool is_for_root = (folder.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  if (is_of_file && is_for_root && ::faccessat(AT_FDCWD, ".", X_OK, AT_EACCESS) != 0) change_back();
}

AsFileOwner::~AsFileOwner() { change_back(); }

void AsFileOwner::change_to(uid_t user, gid_t group) {
  const auto refused = [this](int error) {
    change_back();
    return system_failure("act as the owner of", place_->file(), error);
  };
  old_groups_.resize(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(old_groups_.size()), old_groups_.data());
  auto header = of_this_process();
  if (count < 0 || ::syscall(SYS_capget, &header, old_capabilities_.data()) != 0) throw refused(errno);
  if (::setgroups(1, &group) != 0) throw refused(errno);
  changed_ = true;
  if (::setegid(group) != 0 || ::seteuid(user) != 0) throw refused(errno);
  // The kernel takes them away with root's id, unless SECBIT_NO_SETUID_FIXUP is set.
  auto none = old_capabilities_;
  for (auto& part : none) part.effective = 0;
  if (::syscall(SYS_capset, &header, none.data()) != 0) throw refused(errno);
}

// Cannot fail: the saved ids are root's.
void AsFileOwner::change_back() {
  if (!changed_) return;
  changed_ = false;
  const int user = ::seteuid(0);
  auto header = of_this_process();
  const long capabilities = ::syscall(SYS_capset, &header, old_capabilities_.data());
  const int group = ::setegid(old_group_);
  const int groups = ::setgroups(old_groups_.size(), old_groups_.data());
  static_cast<void>(user);
  static_cast<void>(capabilities);
  static_cast<void>(group);
  static_cast<void>(groups);
}

}  // namespace store
