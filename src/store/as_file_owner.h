// Lets a command of root's act as the user who owns a database's folder: what that user has put there leads root to
// no file of others, and what is made there can be written by the sidecar. It may still read what root may. For
// single-threaded commands; the change is undone in the destructor. Without effect unless root. Throws Failure.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace store {

class AsFileOwner {
 public:
  // The owner of the folder; where that is root, who lets nobody else put files there, the owner of the file.
  explicit AsFileOwner(const std::string& path);
  ~AsFileOwner();
  AsFileOwner(const AsFileOwner&) = delete;
  AsFileOwner& operator=(const AsFileOwner&) = delete;

 private:
  void change_back();

  bool changed_ = false;
  gid_t old_group_ = 0;
  std::vector<gid_t> old_groups_;
};

}  // namespace store
