// Files that must be whole and on disk, or not there at all. Any thread. For store/ and cli/.
// Everything here throws Failure when the system refuses.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/descriptor.h"
#include "store/place.h"

namespace store {

using Bytes = std::vector<unsigned char>;

// Locks it (flock) for this process alone; while another process has it, tries so often, 10 ms apart. False: errno.
bool lock_file(const files::Descriptor& file, int tries);

bool exists(const std::string& path);
// The size in bytes; 0 also if there is no such file. Never opens it.
std::size_t size_of(const std::string& path);
bool is_same_file(const std::string& one, const std::string& other);
// Throws if the database, its -wal, -shm or -journal is a pipe, a device or a link: reading could wait for ever.
void require_plain_files(const std::string& database_path);

// Which file it is that bears a name; nothing if there is none.
struct FileId {
  dev_t device;
  ino_t inode;

  bool operator==(const FileId&) const = default;
};
std::optional<FileId> id_of(const std::string& path);

// Makes a new file with this content and waits until the disk has it; refuses an existing one.
void write_new_file(const std::string& path, const Bytes& content, mode_t mode);
// Copies a plain file into a new one, and follows no link.
void copy_plain_file(const std::string& from, const std::string& to);
// Reads the next bytes of a file, as many as there is room for; false if there are fewer, or none can be read.
bool fill(const files::Descriptor& file, Bytes& part);
// Waits until the disk has the names in that file's folder.
void sync_folder_of(const std::string& path);
void rename_file(const std::string& from, const std::string& to);
// Fine if it is not there.
void remove_file(const std::string& path);

// Where private folders are made by default: TMPDIR if that is absolute, else /tmp.
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
// Its folder is opened once, and no link in it is followed: another user may be its owner.
class UnfinishedFile {
 public:
  UnfinishedFile(const std::string& final_path, std::string_view content, mode_t mode);
  UnfinishedFile(const std::string& final_path, const Bytes& content, mode_t mode);
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  // Owner, group, mode and extended attributes (an ACL may be what lets the sidecar read it) of that file.
  void look_like(const std::string& model);
  void give_to(uid_t owner, gid_t group);
  // Gives it the final name, replacing what bears it, and waits until the disk has that.
  void rename_to_final();
  // The same, but refuses where something bears that name.
  void link_to_final();
  // Closed, for SQLite to open; until then its lock shows others that it is in use.
  void close() { file_.close(); }

 private:
  void remove() noexcept;
  void sync() const;

  std::string final_path_;
  std::string final_name_;
  std::string name_;  // in the folder; empty when there is none any more
  files::Descriptor folder_;
  files::Descriptor file_;
};

}  // namespace store
