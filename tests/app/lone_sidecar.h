// A sidecar without [cluster]: it wins every claim, once the row is durable.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "app/answer_room.h"
#include "app/journal_claims.h"
#include "app/report_session.h"
#include "app/sidecar_fixture.h"

struct sqlite3;

class LoneSidecar : public SidecarFixture {
 public:
  LoneSidecar();  // scale mode; gateways gxy1 … gxy4, rooms "1" … "50" with default gateway gxy1
  explicit LoneSidecar(const app::Configured& with);
  // A request waits that long for its claim, so that a test of rules does not fail on a busy machine.
  explicit LoneSidecar(std::chrono::milliseconds patience);
  LoneSidecar(const app::Configured& with, std::chrono::milliseconds patience);
  ~LoneSidecar();

  void start(const app::Configured& with);
  void restart();  // as after a stop: what is in the file is what is known
  app::CatalogueKeeper::Result reload(const app::Configured& with) { return keeper->reload(with); }

  std::int64_t count(const std::string& table);
  // A statement by another connection, as an operator's.
  void execute(const std::string& sql);
  // Has any connection committed since the last call?
  bool was_written();

  // Another program has the file open and holds its write lock, so that no commit goes through.
  void lock_file();
  void unlock_file();
  // Waits until no claim is under way: a refusal may leave at its deadline, before the writer gives up.
  void let_claims_end();
  // It edits something while it has the lock, and commits.
  void execute_in_lock(const std::string& sql);
  void commit_lock();

 private:
  std::optional<std::chrono::milliseconds> patience_;  // nothing: that of the product
  std::unique_ptr<app::JournalClaims> claims_;
  sqlite3* other_ = nullptr;
  sqlite3* watcher_ = nullptr;
  int seen_version_ = 0;
};
