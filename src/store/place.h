// Where a path leads. Another user may own folders on it, and put links and pipes there at any moment. Throws Failure.
// AtFolderOf changes the current folder of the process: for single-threaded commands. All else: any thread.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "files/descriptor.h"

namespace store {

// The absolute path with links followed as far as it exists. SQLite follows them as well, and puts -wal and -shm beside
// the real file. Root follows a link of another user's only into what that user owns, and never as the last step.
std::string resolved(const std::string& path);
// The same for the folder; what the last name stands for is not looked at.
std::string placed(const std::string& path);

// The name by which this process reaches a file; the path itself, except in the folder of an AtFolderOf.
std::string reached(const std::string& path);
// Is there an AtFolderOf?
bool is_at_a_folder();

// Opens a plain file and follows no link; else -1 with errno. Waits for no pipe.
files::Descriptor open_plain(const std::string& path, int flags, mode_t mode = 0);

// The same for the file beside that one, without a moment in which another folder could take its folder's place.
files::Descriptor open_plain_beside(const std::string& path, const char* suffix, int flags);

// While it lives, the files of one folder are reached by that folder, which was opened once: a link that takes the place
// of a folder on the way leads nowhere, and a closed folder above needs no right. Only one at a time.
class AtFolderOf {
 public:
  enum class Last { followed, kept };  // is a link as the last step followed?
  explicit AtFolderOf(const std::string& path, Last last = Last::followed);
  ~AtFolderOf();
  AtFolderOf(const AtFolderOf&) = delete;
  AtFolderOf& operator=(const AtFolderOf&) = delete;

  const std::string& given() const { return given_; }
  const std::string& file() const { return file_; }  // the real path
  const std::string& folder() const { return folder_; }
  const struct stat& folder_status() const { return folder_status_; }
  const std::optional<struct stat>& file_status() const { return file_status_; }

 private:
  const std::string given_;
  std::string file_;
  std::string folder_;
  struct stat folder_status_ = {};
  std::optional<struct stat> file_status_;
  files::Descriptor before_;
};

}  // namespace store
