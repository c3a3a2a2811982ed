// Lets a command of root's act as the owner of a database file, so that what it makes beside that
// file can be written by the sidecar. For single-threaded commands; the change is undone in the
// destructor. Without effect unless root. Throws Failure.
#pragma once

#include <sys/types.h>

#include <string>

namespace store {

class AsFileOwner {
 public:
  // The owner of the file, or of its folder where there is no file.
  explicit AsFileOwner(const std::string& path);
  ~AsFileOwner();
  AsFileOwner(const AsFileOwner&) = delete;
  AsFileOwner& operator=(const AsFileOwner&) = delete;

 private:
  bool changed_ = false;
  gid_t old_group_ = 0;
};

}  // namespace store
