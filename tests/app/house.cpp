#include "app/house.h"

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
    room.gateway_uid = std::to_string(i);
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

House::House() : House(fifty_rooms()) {}

House::House(const app::Configured& with) { start(with); }

House::House(std::chrono::milliseconds patience) : House(fifty_rooms(), patience) {}

House::House(const app::Configured& with, std::chrono::milliseconds patience) : patience_(patience) { start(with); }

House::~House() {
  sqlite3_close(other_);
  sqlite3_close(watcher_);
  keeper.reset();
  journal.reset();
}

void House::start(const app::Configured& with) {
  open(with, [this]() -> app::Claims& {
    claims_ = patience_ ? std::make_unique<PatientClaims>(*journal, *patience_)
                        : std::make_unique<app::JournalClaims>(*journal);
    return *claims_;
  });
}

void House::restart() {
  keeper.reset();
  journal->stop();
  journal.reset();
  desk.reset();
  start(configured);
}

void House::execute(const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open_v2(path().c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  sqlite3_busy_timeout(db, 5000);
  CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

std::int64_t House::count(const std::string& table) {
  journal->flush();
  return std::stoll(text("SELECT count(*) FROM " + table));
}

bool House::was_written() {
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

void House::lock_file() {
  REQUIRE(sqlite3_open_v2(path().c_str(), &other_, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  sqlite3_busy_timeout(other_, 5000);
  REQUIRE(sqlite3_exec(other_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
}

void House::let_claims_end() {
  REQUIRE(comes_true([this] {
    app::Desk::Turn turn(*desk);
    const auto& rooms = turn.ledger().rooms();
    return std::none_of(rooms.begin(), rooms.end(), [](const auto& room) { return room.second.pending; });
  }));
}

void House::execute_in_lock(const std::string& sql) {
  REQUIRE(sqlite3_exec(other_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
}

void House::commit_lock() {
  execute_in_lock("COMMIT");
  unlock_file();
}

void House::unlock_file() {
  sqlite3_exec(other_, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(other_);
  other_ = nullptr;
}
