#include "store/read_connection.h"

#include <sqlite3.h>

#include "store/failure.h"

namespace store {
namespace {

constexpr int read_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;

std::string uri_of(const std::string& path, const std::string& parameter) {
  std::string uri = "file:";
  for (const char c : path) uri += c == '%' ? "%25" : c == '?' ? "%3f" : c == '#' ? "%23" : std::string(1, c);
  return uri + "?" + parameter;
}

// Opening is lazy in SQLite: the first question is what fails.
std::unique_ptr<Connection> opened(const std::string& path, const std::string& parameter) {
  auto connection = std::make_unique<Connection>(path, uri_of(reached(path), parameter), read_flags);
  connection->integer("PRAGMA user_version");
  return connection;
}

// In memory: for when the folder for temporary files is on the same full disk.
const char* const folder_in_memory = "/dev/shm";

// The files are opened by other means than SQLite here, which drops the locks that this process has.
ReadConnection opened_in_copy(const std::string& path, const std::string& parent) {
  ReadConnection result;
  result.copy = std::make_unique<PrivateFolder>(parent);
  const std::string copy = result.copy->file("copy.db");
  copy_plain_file(path, copy);
  for (const char* suffix : {"-wal", "-journal"}) {
    if (exists(path + suffix)) copy_plain_file(path + suffix, copy + suffix);
  }
  result.connection = std::make_unique<Connection>(path, copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
  result.connection->integer("PRAGMA user_version");
  return result;
}

ReadConnection opened_in_copy(const std::string& path) {
  try {
    return opened_in_copy(path, temporary_folder());
  } catch (const Failure& failure) {
    if (failure.kind() == Failure::Kind::damaged || !exists(folder_in_memory)) throw;
    return opened_in_copy(path, folder_in_memory);
  }
}

}  // namespace

ReadConnection open_for_reading(const std::string& path, bool alone) {
  if (!exists(path)) {
    throw Failure(Failure::Kind::unusable,
                  "there is no database at " + path + "; check database.path, or start room-sidecar once");
  }
  const bool has_journal = size_of(path + "-journal") > 0;
  if (!has_journal) {
    // Nothing waits in a -wal: the file is all there is, and SQLite need make no -shm.
    if (size_of(path + "-wal") == 0) return {nullptr, opened(path, "immutable=1")};
    // Without -shm nobody has it open.
    if (!exists(path + "-shm")) return opened_in_copy(path);
  }
  try {
    return {nullptr, opened(path, "mode=ro")};
  } catch (const Failure& failure) {
    // A -journal that its program has left behind is to be undone first, which is done to a copy.
    const bool is_left_behind = has_journal && failure.kind() != Failure::Kind::busy;
    if (!is_left_behind && (!alone || failure.kind() == Failure::Kind::damaged)) throw;
    return opened_in_copy(path);
  }
}

ReadConnection open_copy(const std::string& path, const Bytes& image) {
  ReadConnection result;
  result.copy = std::make_unique<PrivateFolder>();
  const std::string copy = result.copy->file("copy.db");
  write_new_file(copy, image, 0600);
  result.connection = std::make_unique<Connection>(path, copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
  return result;
}

}  // namespace store
