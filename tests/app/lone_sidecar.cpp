#include "app/lone_sidecar.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "catch.h"
#include "comes_true.h"

namespace {
app::Configured fifty_rooms() {
  app::Configured configured = four_gateways();
  for (int i = 1; i <= 50; ++i) {
    domain::ConfiguredRoom room;
    room.gateway_uid = domain::RoomId(std::to_string(i));
    room.default_gateway = "gxy1";
    configured.rooms.push_back(room);
  }
  return configured;
}

class PatientClaims final : public app::JournalClaims {
 public:
  PatientClaims(store::Journal& journal, std::chrono::milliseconds patience)
      : JournalClaims(journal), patience_(patience) {}
  std::chrono::milliseconds patience() const override { return patience_; }

 private:
  const std::chrono::milliseconds patience_;
};

}  // namespace

LoneSidecar::LoneSidecar() : LoneSidecar(fifty_rooms()) {}

LoneSidecar::LoneSidecar(const app::Configured& with) { start(with); }

LoneSidecar::LoneSidecar(std::chrono::milliseconds patience) : LoneSidecar(fifty_rooms(), patience) {}

LoneSidecar::LoneSidecar(const app::Configured& with, std::chrono::milliseconds patience) : patience_(patience) {
  start(with);
}

LoneSidecar::~LoneSidecar() {
  sqlite3_close(other_);
  sqlite3_close(watcher_);
  keeper.reset();
  journal.reset();
}

void LoneSidecar::start(const app::Configured& with) {
  open(with, [this]() -> app::Claims& {
    claims_ = patience_ ? std::make_unique<PatientClaims>(*journal, *patience_)
                        : std::make_unique<app::JournalClaims>(*journal);
    return *claims_;
  });
}

void LoneSidecar::restart() {
  keeper.reset();
  journal->stop();
  journal.reset();
  registry.reset();
  start(configured);
}

void LoneSidecar::execute(const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open_v2(path().c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  sqlite3_busy_timeout(db, 5000);
  CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

std::int64_t LoneSidecar::count(const std::string& table) {
  journal->flush();
  return std::stoll(text("SELECT count(*) FROM " + table));
}

bool LoneSidecar::was_written() {
  journal->flush();
  if (!watcher_) {
    REQUIRE(sqlite3_open_v2(path().c_str(), &watcher_, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  }
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(watcher_, "PRAGMA data_version", -1, &statement, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
  const int version = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  return std::exchange(seen_version_, version) != version;
}

void LoneSidecar::lock_file() {
  REQUIRE(sqlite3_open_v2(path().c_str(), &other_, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  sqlite3_busy_timeout(other_, 5000);
  REQUIRE(sqlite3_exec(other_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
}

void LoneSidecar::let_claims_end() {
  REQUIRE(comes_true([this] {
    app::Registry::Transaction transaction(*registry);
    const auto& rooms = transaction.ledger().rooms();
    return std::none_of(rooms.begin(), rooms.end(), [](const auto& room) { return room.second.pending; });
  }));
}

void LoneSidecar::execute_in_lock(const std::string& sql) {
  REQUIRE(sqlite3_exec(other_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
}

void LoneSidecar::commit_lock() {
  execute_in_lock("COMMIT");
  unlock_file();
}

void LoneSidecar::unlock_file() {
  sqlite3_exec(other_, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(other_);
  other_ = nullptr;
}
