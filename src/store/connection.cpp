#include "store/connection.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "store/failure.h"
#include "store/plain_vfs.h"
#include "store/shape.h"

namespace store {
namespace {

constexpr int patience_ms = 1000;
constexpr int nap_ms = 25;

int on_busy(void* tick, int naps) {
  if (naps * nap_ms >= patience_ms) return 0;
  if (!(*static_cast<std::function<bool()>*>(tick))()) return 0;
  ::usleep(nap_ms * 1000);
  return 1;
}

constexpr int steps_between_looks = 10'000;

int is_too_late(void* deadline) {
  return std::chrono::steady_clock::now() >= *static_cast<std::chrono::steady_clock::time_point*>(deadline) ? 1 : 0;
}

// Asked while a statement is prepared, with the triggers that it fires. One that writes our tables could take a row away
// that was answered, and SQLite would say that the row is written.
int authorize(void*, int action, const char* table, const char*, const char*, const char* trigger) {
  const bool writes = action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE;
  return trigger && writes && is_table_of_ours(table) ? SQLITE_DENY : SQLITE_OK;
}

// A user who may write the file can leave SQL and odd pages in it. So its SQL calls only functions without side effects,
// no statement changes the schema's own table, and pages are looked at more closely.
void distrust(sqlite3* sql) {
  sqlite3_db_config(sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(sql, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_set_authorizer(sql, authorize, nullptr);
  constexpr int longest_value = 64 << 20;
  sqlite3_limit(sql, SQLITE_LIMIT_LENGTH, longest_value);
  sqlite3_exec(sql, "PRAGMA cell_size_check = ON", nullptr, nullptr, nullptr);
}

int on_commit(void* frames, sqlite3*, const char*, int count) {
  *static_cast<int*>(frames) = count;
  return SQLITE_OK;
}

}  // namespace

void throw_failure(const std::string& path, const SQLite::Exception& exception) {
  throw sqlite_failure(path, exception.getExtendedErrorCode(), exception.what());
}

Connection::Connection(const std::string& path, const std::string& name, int flags) : path_(path) {
  const char* const vfs = is_at_a_folder() ? plain_vfs() : "";
  sql_ = translated(path_, [&] { return std::make_unique<SQLite::Database>(reached(name), flags, patience_ms, vfs); });
  distrust(sql_->getHandle());
}

Connection::Connection(const std::string& path, const Bytes& image)
    : Connection(path, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX) {
  const auto size = static_cast<sqlite3_int64>(image.size());
  auto* const bytes = const_cast<unsigned char*>(image.data());  // which READONLY keeps it from writing
  const int code = sqlite3_deserialize(sql_->getHandle(), "main", bytes, size, size, SQLITE_DESERIALIZE_READONLY);
  if (code != SQLITE_OK) throw sqlite_failure(path_, code, sql_->getErrorMsg());
}

void Connection::give_up_after(std::chrono::milliseconds patience) {
  give_up_at_ = std::chrono::steady_clock::now() + patience;
  sqlite3_progress_handler(sql_->getHandle(), steps_between_looks, is_too_late, &give_up_at_);
}

SQLite::Statement& Connection::prepared(const char* sql) {
  auto& statement = statements_[sql];
  if (!statement) {
    statement = translated(path_, [&] { return std::make_unique<SQLite::Statement>(*sql_, sql); });
  }
  return *statement;
}

void Connection::execute(const char* sql) {
  translated(path_, [&] { sql_->exec(sql); });
}

std::int64_t Connection::integer(const char* sql) {
  return translated(path_, [&] { return sql_->execAndGet(sql).getInt64(); });
}

std::string Connection::text(const char* sql) {
  return translated(path_, [&] { return sql_->execAndGet(sql).getString(); });
}

void Connection::within(const char* begin, const std::function<void()>& task) {
  const auto run = [&](const char* sql) {
    SQLite::Statement& statement = prepared(sql);
    // exec() would leave a statement that failed unreset, and the transaction with it.
    const int code = statement.tryExecuteStep();
    const int same = statement.tryReset();
    if (code != SQLITE_DONE) throw sqlite_failure(path_, same, sql_->getErrorMsg());
  };
  run(begin);
  try {
    task();
    run("COMMIT");
  } catch (...) {
    roll_back();
    throw;
  }
}

void Connection::transaction(const std::function<void()>& task) { within("BEGIN IMMEDIATE", task); }

void Connection::read_transaction(const std::function<void()>& task) { within("BEGIN", task); }

void Connection::roll_back() noexcept {
  // A full disk or an I/O error has mostly rolled back already.
  if (sqlite3_get_autocommit(sql_->getHandle()) == 0) sql_->tryExec("ROLLBACK");
}

bool Connection::is_read_only() { return sqlite3_db_readonly(sql_->getHandle(), "main") == 1; }

bool Connection::has_moved() {
  int moved = 0;
  const int code = sqlite3_file_control(sql_->getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return code == SQLITE_OK && moved != 0;
}

int Connection::changed_rows() { return sqlite3_changes(sql_->getHandle()); }

Bytes Connection::image() {
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> bytes(sqlite3_serialize(sql_->getHandle(), "main", &size, 0),
                                                              sqlite3_free);
  constexpr sqlite3_int64 header = 100;
  if (!bytes || size < header) {
    throw Failure(Failure::Kind::io, "cannot read " + path_ + "; check the disk and the memory");
  }
  Bytes copy(bytes.get(), bytes.get() + size);
  // The file format's read and write version: 1, since no -wal goes with the copy.
  copy[18] = 1;
  copy[19] = 1;
  return copy;
}

void Connection::wait_when_busy(std::function<bool()> tick) {
  tick_ = std::move(tick);
  sqlite3_busy_handler(sql_->getHandle(), on_busy, &tick_);
}

void Connection::count_wal_frames() { sqlite3_wal_hook(sql_->getHandle(), on_commit, &wal_frames_); }

void Connection::checkpoint() {
  sqlite3_wal_checkpoint_v2(sql_->getHandle(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

bool Connection::checkpoint_all() {
  int frames = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(sql_->getHandle(), "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
  return code == SQLITE_OK && frames == copied;
}

void Connection::check_soundness() {
  const std::string verdict = text("PRAGMA integrity_check(1)");
  // The finding stands in its last line.
  if (verdict != "ok") throw damaged(path_, verdict.substr(verdict.rfind('\n') + 1));
}

}  // namespace store
