// A desk over a real database in a folder of its own, with a clock that the test turns.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "app/answer_room.h"
#include "app/catalogue_keeper.h"
#include "app/desk.h"
#include "app/journal_claims.h"
#include "app/report_session.h"
#include "store/journal.h"

struct sqlite3;

class House {
 public:
  House();  // scale mode; gateways gxy1 … gxy4, rooms "1" … "50" with default gateway gxy1
  explicit House(const app::Configured& with);
  ~House();

  void start(const app::Configured& with);
  void restart();  // as after a stop: what is in the file is what is known
  app::CatalogueKeeper::Result reload(const app::Configured& with) { return keeper->reload(with); }

  // "gateway reason", or the code of a refusal.
  std::string ask(const std::string& room, const std::string& country = "");
  // "gateway users", or the code of a refusal.
  std::string report(const std::string& room, const std::string& session, const std::string& janus = "");
  // How the room's row stands in the file: its gateway, or "".
  std::string row(const std::string& room);
  std::int64_t count(const std::string& table);
  // The first column of the first row, by another connection; and a statement, as an operator's.
  std::string text(const std::string& sql);
  void execute(const std::string& sql);
  // Has anybody committed anything since this was last asked?
  bool was_written();

  // Another program has the file open and holds its write lock, so that no commit goes through.
  void lock_file();
  void unlock_file();
  // Waits until no claim is under way: a refusal may leave at its deadline, before the writer gives up.
  void let_claims_end();
  // It edits something while it has the lock, and commits.
  void execute_in_lock(const std::string& sql);
  void commit_lock();

  // Any thread.
  void pass(std::chrono::milliseconds time) { service_ += time.count(); }
  void turn_wall_clock(std::chrono::milliseconds by) { wall_ += by.count(); }
  std::string path() const { return (folder_ / "test.db").string(); }

  app::Configured configured;
  std::unique_ptr<store::Journal> journal;
  std::unique_ptr<app::Desk> desk;
  std::unique_ptr<app::CatalogueKeeper> keeper;

 private:
  std::filesystem::path folder_;
  std::atomic<std::int64_t> service_{3'600'000};  // milliseconds, as the next
  std::atomic<std::int64_t> wall_{1'800'000'000'000};
  std::unique_ptr<app::Clock> clock_;
  std::unique_ptr<app::JournalClaims> claims_;
  sqlite3* other_ = nullptr;
  sqlite3* watcher_ = nullptr;
  int seen_version_ = 0;
};
