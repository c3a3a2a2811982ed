// Files that must be whole and on disk, or not there at all. Any thread. Private to store/.
// Everything here throws Failure when the system refuses.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace store {

using Bytes = std::vector<unsigned char>;

// The absolute path with links followed as far as it exists. SQLite follows them as well, and puts
// -wal and -shm beside the real file.
std::string resolved(const std::string& path);

bool exists(const std::string& path);
// The size in bytes; 0 also if there is no such file. Never opens it.
std::size_t size_of(const std::string& path);
bool is_same_file(const std::string& one, const std::string& other);

// Which file it is that bears a name; nothing if there is none.
struct FileId {
  dev_t device;
  ino_t inode;

  bool operator==(const FileId&) const = default;
};
std::optional<FileId> id_of(const std::string& path);

// Makes a new file with this content and waits until the disk has it; refuses an existing one.
void write_new_file(const std::string& path, const Bytes& content, mode_t mode);
// Waits until the disk has the names in that file's folder.
void sync_folder_of(const std::string& path);
void rename_file(const std::string& from, const std::string& to);
// Fine if it is not there.
void remove_file(const std::string& path);

// Where private folders are made by default: TMPDIR, else /tmp.
std::string temporary_folder();

// A folder of our own in another that goes with its owner, content and all.
class PrivateFolder {
 public:
  explicit PrivateFolder(const std::string& parent = temporary_folder());
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A new file with this content, on disk once it is made, beside the one that it is to become. It is
// removed again unless it gets that final name. What killed processes left of such files goes first.
class UnfinishedFile {
 public:
  UnfinishedFile(const std::string& final_path, const Bytes& content, mode_t mode);
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  const std::string& path() const { return path_; }
  // Gives it the final name, replacing what bears it, and waits until the disk has that.
  void rename_to_final();
  // Closed, for SQLite to open; until then its lock tells others that it is not left behind.
  void close();

 private:
  void remove() noexcept;

  std::string final_path_;
  std::string path_;
  int fd_ = -1;
};

}  // namespace store
