// One SQLite connection with its prepared statements. Private to store/: it shows SQLiteCpp.
// One thread at a time. What SQLite refuses is thrown as Failure.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "store/files.h"

namespace store {

class Connection {
 public:
  // `path` is the file that messages name, `name` what SQLite gets: the path or a URI.
  Connection(const std::string& path, const std::string& name, int flags);
  // To read the bytes of a database file that are in memory, and stay there for as long; `path` is what they are of.
  Connection(const std::string& path, const Bytes& image);
  // If another file bears our name by now, SQLite leaves that one's -wal alone.
  ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const std::string& path() const { return path_; }

  // Statements that still run by then are ended, with a Failure: those of a command must come to an end.
  void give_up_after(std::chrono::milliseconds patience);

  // Prepared at its first use; `sql` must be a literal, its address is the key.
  // The user resets it.
  SQLite::Statement& prepared(const char* sql);
  void execute(const char* sql);
  void execute(const std::string& sql) { execute(sql.c_str()); }
  std::int64_t integer(const char* sql);
  std::string text(const char* sql);

  // In one transaction that holds the write lock from its beginning; undone if `task` throws.
  void transaction(const std::function<void()>& task);
  // In one transaction that sees one state of the file and locks nobody out.
  void read_transaction(const std::function<void()>& task);

  bool is_read_only();
  // Is another file, or none, to be found under its name?
  bool has_moved();
  int changed_rows();
  // The whole database as the bytes of one file without -wal, as this connection sees it now.
  Bytes image();

  // While another program holds the lock: waits up to 1 s, and calls `tick` about every 25 ms,
  // until that says false.
  void wait_when_busy(std::function<bool()> tick);
  // From now on checkpoints are the caller's affair.
  void count_wal_frames();
  int wal_frames() const { return wal_frames_; }
  // PASSIVE: copies what it can without waiting for anyone. Its errors are not of interest: what
  // was not copied stays in the -wal.
  void checkpoint();
  // The same, and says whether nothing is left in the -wal.
  bool checkpoint_all();

  // Throws Failure (damaged) unless the content is sound.
  void check_soundness();

 private:
  void within(const char* begin, const std::function<void()>& task);
  void roll_back() noexcept;

  std::string path_;
  std::unique_ptr<SQLite::Database> sql_;
  std::unordered_map<const char*, std::unique_ptr<SQLite::Statement>> statements_;
  std::function<bool()> tick_;
  int wal_frames_ = 0;
  std::chrono::steady_clock::time_point give_up_at_{};
};

// What a command's statements may take together.
constexpr std::chrono::seconds patience_of_commands{60};

[[noreturn]] void throw_failure(const std::string& path, const SQLite::Exception& exception);

// Calls `task` and throws what SQLite refuses as Failure that names `path`.
template <typename Task>
auto translated(const std::string& path, Task&& task) -> decltype(task()) {
  try {
    return task();
  } catch (const SQLite::Exception& exception) {
    throw_failure(path, exception);
  }
}

}  // namespace store
