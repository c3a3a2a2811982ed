#include "app/house.h"

#include <sqlite3.h>
#include <stdlib.h>

#include <algorithm>
#include <utility>

#include "catch.h"
#include "store/database.h"
#include "store/scratch.h"

namespace {
app::Configured four_gateways() {
  app::Configured configured;
  configured.options.scale = true;
  for (int i = 1; i <= 4; ++i) {
    domain::ConfiguredGateway gateway;
    gateway.name = "gxy" + std::to_string(i);
    gateway.where = "config.toml:" + std::to_string(i);
    configured.gateways.push_back(gateway);
  }
  for (int i = 1; i <= 50; ++i) {
    domain::ConfiguredRoom room;
    room.gateway_uid = std::to_string(i);
    room.default_gateway = "gxy1";
    configured.rooms.push_back(room);
  }
  return configured;
}
}  // namespace

House::House() : House(four_gateways()) {}

House::House(const app::Configured& with) {
  std::string name = (std::filesystem::temp_directory_path() / "room-sidecar-app-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  folder_ = name;
  start(with);
}

House::~House() {
  sqlite3_close(other_);
  sqlite3_close(watcher_);
  keeper.reset();
  journal.reset();
  std::filesystem::remove_all(folder_);
}

void House::start(const app::Configured& with) {
  configured = with;
  store::Database database(path(), store::OpenMode::read_write);
  app::Opening opening = app::read_opening(database, configured, domain::WallTime{});
  REQUIRE(opening.plan.errors.empty());
  app::write_opening(database, opening);
  clock_ = std::make_unique<app::Clock>([this] {
    const std::chrono::milliseconds service{service_};
    return domain::Moment{domain::ServiceTime{service}, domain::WallTime{service + std::chrono::milliseconds{wall_}}};
  });
  journal = std::make_unique<store::Journal>(std::move(database), store::Journal::Callbacks{});
  claims_ = std::make_unique<app::JournalClaims>(*journal);
  desk = std::make_unique<app::Desk>(*clock_, *claims_, *journal);
  app::open_desk(*desk, opening);
  keeper = std::make_unique<app::CatalogueKeeper>(*desk, *journal, path(), configured, false);
}

void House::restart() {
  keeper.reset();
  journal->stop();
  journal.reset();
  desk.reset();
  start(configured);
}

std::string House::ask(const std::string& room, const std::string& country) {
  const auto answer = app::answer_room(*desk, room, country);
  if (const auto* refused = std::get_if<app::Refused>(&answer)) return std::string(code_of(refused->refusal));
  const auto& found = std::get<app::RoomAnswer>(answer);
  return found.gateway + " " + std::string(to_text(found.reason));
}

std::string House::report(const std::string& room, const std::string& session, const std::string& janus) {
  app::SessionReport report{room, session, std::nullopt};
  if (!janus.empty()) report.janus = janus;
  const auto answer = app::report_session(*desk, report);
  if (const auto* refused = std::get_if<app::Refused>(&answer)) return std::string(code_of(refused->refusal));
  const auto& reported = std::get<app::Reported>(answer);
  return reported.janus.value_or("null") + " " + std::to_string(reported.users);
}

std::string House::text(const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open_v2(path().c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  std::string result;
  if (sqlite3_step(statement) == SQLITE_ROW) {
    result = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return result;
}

void House::execute(const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open_v2(path().c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  sqlite3_busy_timeout(db, 5000);
  CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

std::string House::row(const std::string& room) {
  journal->flush();
  return text("SELECT gateway_name FROM room_server_assignments WHERE room_id = '" + room + "'");
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
