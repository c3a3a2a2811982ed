#include "store/as_file_owner.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0) {
    const std::string folder = std::filesystem::path(file).parent_path().string();
    if (::stat(folder.c_str(), &status) != 0) throw system_failure("find", folder, errno);
  }
  if (status.st_uid == 0) return;
  if (::setegid(status.st_gid) != 0) throw system_failure("act as the owner of", file, errno);
  if (::seteuid(status.st_uid) != 0) {
    const int error = errno;
    if (::setegid(old_group_) != 0) throw system_failure("act as root again after", file, errno);
    throw system_failure("act as the owner of", file, error);
  }
  changed_ = true;
  keep_right_of_way();
}

AsFileOwner::~AsFileOwner() {
  if (!changed_) return;
  // Neither can fail: the saved ids are root's.
  const int user = ::seteuid(0);
  const int group = ::setegid(old_group_);
  static_cast<void>(user);
  static_cast<void>(group);
}

}  // namespace store
