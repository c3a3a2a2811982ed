#include "store/as_file_owner.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>

#include "store/failure.h"
#include "store/files.h"

namespace store {
namespace {

// Keeps root's right to pass through closed folders: with systemd's DynamicUser= the file lies
// behind /var/lib/private, which only root may enter. If it cannot be kept, opening will say so.
void keep_right_of_way() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return;
  const std::uint32_t bit = std::uint32_t{1} << CAP_DAC_READ_SEARCH;
  data[0].effective |= data[0].permitted & bit;
  ::syscall(SYS_capset, &header, data);
}

}  // namespace

AsFileOwner::AsFileOwner(const std::string& path) : old_group_(::getegid()) {
  if (::geteuid() != 0) return;
  const std::string file = resolved(path);
  const std::string folder = std::filesystem::path(file).parent_path().string();
  struct stat of_folder = {};
  struct stat of_file = {};
  if (::stat(folder.c_str(), &of_folder) != 0) throw system_failure("find", folder, errno);
  const bool is_there = ::lstat(file.c_str(), &of_file) == 0 && S_ISREG(of_file.st_mode);
  const uid_t user = of_folder.st_uid == 0 && is_there ? of_file.st_uid : of_folder.st_uid;
  if (user == 0) return;
  const gid_t group = is_there && of_file.st_uid == user ? of_file.st_gid : of_folder.st_gid;
  old_groups_.resize(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(old_groups_.size()), old_groups_.data());
  if (count < 0 || ::setgroups(1, &group) != 0) throw system_failure("act as the owner of", file, errno);
  changed_ = true;
  if (::setegid(group) != 0 || ::seteuid(user) != 0) {
    const int error = errno;
    change_back();
    throw system_failure("act as the owner of", file, error);
  }
  keep_right_of_way();
}

AsFileOwner::~AsFileOwner() { change_back(); }

// Cannot fail: the saved ids are root's.
void AsFileOwner::change_back() {
  if (!changed_) return;
  const int user = ::seteuid(0);
  const int group = ::setegid(old_group_);
  const int groups = ::setgroups(old_groups_.size(), old_groups_.data());
  static_cast<void>(user);
  static_cast<void>(group);
  static_cast<void>(groups);
}

}  // namespace store
