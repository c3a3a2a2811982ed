#include "app/sidecar_fixture.h"

#include <sqlite3.h>

#include <utility>

#include "app/answer_room.h"
#include "app/listings.h"
#include "app/report_session.h"
#include "catch.h"
#include "store/database.h"

app::Configured four_gateways() {
  app::Configured configured;
  configured.options.scale = true;
  for (int i = 1; i <= 4; ++i) {
    domain::ConfiguredGateway gateway;
    gateway.name = "gxy" + std::to_string(i);
    gateway.where = "config.toml:" + std::to_string(i);
    configured.gateways.push_back(gateway);
  }
  return configured;
}

void SidecarFixture::open(const app::Configured& with, const std::function<app::Claims&()>& claims) {
  configured = with;
  store::Database database(path(), store::OpenMode::read_write);
  app::StartupState startup = app::read_startup_state(database, configured, domain::WallTime{});
  REQUIRE(startup.plan.errors.empty());
  app::write_startup_state(database, startup);
  clock_ = std::make_unique<app::Clock>([this] {
    ++clock_reads_;
    const std::chrono::milliseconds service{service_};
    return domain::Moment{domain::ServiceTime{service}, domain::WallTime{service + std::chrono::milliseconds{wall_}}};
  });
  journal = std::make_unique<store::Journal>(std::move(database), store::Journal::Callbacks{});
  registry = std::make_unique<app::Registry>(*clock_, claims(), *journal);
  app::start_registry(*registry, startup);
  keeper = std::make_unique<app::CatalogueKeeper>(*registry, *journal, path(), configured, false);
}

std::string SidecarFixture::ask(const std::string& room, const std::string& country) {
  const auto answer = app::answer_room(*registry, domain::RoomId(room), country);
  if (const auto* refused = std::get_if<app::Refused>(&answer)) return std::string(code_of(refused->refusal));
  const auto& found = std::get<app::RoomAnswer>(answer);
  return found.gateway + " " + std::string(to_text(found.reason));
}

std::string SidecarFixture::report(const std::string& room, const std::string& session, const std::string& janus) {
  const domain::RoomId id(room);
  app::SessionReport report{id, session, std::nullopt};
  if (!janus.empty()) report.janus = janus;
  const auto answer = app::report_session(*registry, report);
  if (const auto* refused = std::get_if<app::Refused>(&answer)) return std::string(code_of(refused->refusal));
  const auto& reported = std::get<app::Reported>(answer);
  return reported.janus.value_or("null") + " " + std::to_string(reported.users);
}

std::string SidecarFixture::splits() {
  std::string text;
  for (const auto& split : app::list_splits(*registry)) {
    text += split.room.text() + "@" + split.janus.value_or("-");
    for (const auto& part : split.parts) text += " " + part.gateway + ":" + std::to_string(part.participants);
  }
  return text;
}

std::string SidecarFixture::row(const std::string& room) {
  journal->flush();
  return text("SELECT gateway_name FROM room_server_assignments WHERE room_id = '" + room + "'");
}

std::string SidecarFixture::text(const std::string& sql) {
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
