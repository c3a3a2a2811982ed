#include <SQLiteCpp/SQLiteCpp.h>

#include <ctime>

#include "catch.h"
#include "store/column_time.h"
#include "store/gateways_table.h"
#include "store/meta_table.h"
#include "store/rooms_table.h"
#include "store/scratch.h"

using store::Database;
using store::Failure;
using store::OpenMode;

namespace {

store::GatewayRow gateway(std::int64_t id, const std::string& name) {
  store::GatewayRow row;
  row.gateway.id = domain::RowId(id);
  row.gateway.name = name;
  return row;
}

store::RoomRow room(std::int64_t id, const domain::RoomId& uid) {
  store::RoomRow row;
  row.room.id = domain::RowId(id);
  row.room.gateway_uid = uid;
  return row;
}

}  // namespace

TEST_CASE("a gateway is read as it was written") {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  store::GatewayRow full = gateway(7, "gxy7");
  full.gateway.url = "https://gxy7.example/janus";
  full.gateway.type = "streaming";
  full.gateway.capacity = 300;
  full.gateway.disabled = true;
  full.gateway.draining = true;
  full.gateway.removed = true;
  full.removed_at = at(5);
  full.from_config = true;
  full.synced = store::GatewayRow::Synced{"u", "rooms", 12, true, std::nullopt};
  store::GatewayRow half = gateway(8, "GXY_8.b-c");
  half.from_config = true;
  half.synced = store::GatewayRow::Synced{"", "rooms", std::nullopt, false, std::nullopt};
  for (const auto& row : {gateway(3, "gxy3"), full, half}) store::write_gateway(database, row);

  std::vector<std::string> skipped;
  const auto rows = store::read_gateways(database, skipped);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0] == gateway(3, "gxy3"));
  CHECK(rows[1] == full);
  CHECK(rows[2] == half);
  CHECK(skipped.empty());

  SECTION("and replaced by its id") {
    store::write_gateway(database, gateway(7, "renamed"));
    CHECK(store::read_gateways(database, skipped)[1] == gateway(7, "renamed"));
  }
  SECTION("and not given another one's name") {
    const auto thrown = thrown_by([&] { store::write_gateway(database, gateway(9, "gxy3")); });
    CHECK(thrown.failed);
    CHECK(thrown.kind == Failure::Kind::constraint);
    // The statement can be used again.
    store::write_gateway(database, gateway(9, "gxy9"));
  }
  SECTION("and drained by its name") {
    CHECK(store::set_draining(database, "gxy3", domain::Draining::yes));
    CHECK(store::set_draining(database, "gxy3", domain::Draining::yes));
    CHECK(store::read_gateways(database, skipped)[0].gateway.draining);
    CHECK(store::set_draining(database, "gxy3", domain::Draining::no));
    CHECK_FALSE(store::read_gateways(database, skipped)[0].gateway.draining);
    CHECK_FALSE(store::set_draining(database, "gxy99", domain::Draining::yes));
  }
}

TEST_CASE("a room is read as it was written") {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  store::RoomRow full = room(5, "2171");
  full.room.name = "Talmud";
  full.room.default_gateway_id = domain::RowId{999};
  full.room.disabled = true;
  full.room.removed = true;
  full.removed_at = at(5);
  full.from_config = true;
  full.synced = store::RoomRow::Synced{"old", domain::RowId{3}, true};
  store::write_room(database, full);
  store::write_room(database, room(4, "x/y"));

  std::vector<std::string> skipped;
  const auto rows = store::read_rooms(database, skipped);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == room(4, "x/y"));
  CHECK(rows[1] == full);
  CHECK(store::find_room_by_uid(database, "2171") == full);
  CHECK_FALSE(store::find_room_by_uid(database, "2172").has_value());
}

TEST_CASE("assignments and sessions are kept by their keys") {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  std::vector<std::string> skipped;
  store::write_assignment(database, assignment("b"));
  store::write_assignment(database, assignment("a"));
  store::write_assignment(database, assignment("b", "gxy2"));
  store::touch_assignment(database, "b", at(60));
  store::touch_assignment(database, "nobody", at(60));
  auto moved = assignment("b", "gxy2");
  moved.last_used_at = at(60);
  CHECK(store::read_assignments(database, skipped) == std::vector<domain::Assignment>{assignment("a"), moved});
  store::erase_assignment(database, "a");
  store::erase_assignment(database, "a");
  CHECK(store::read_assignments(database, skipped).size() == 1);

  auto reported = session("s1", "b");
  reported.reported_gateway = "gxy4";
  store::write_session(database, session("s2", "a"));
  store::write_session(database, session("s1", "a"));
  store::write_session(database, reported);
  CHECK(store::read_sessions(database, skipped) == std::vector<domain::Session>{reported, session("s2", "a")});
  store::erase_session(database, "s1");
  CHECK(store::read_sessions(database, skipped).size() == 1);
  store::erase_all_sessions(database);
  CHECK(store::read_sessions(database, skipped).empty());
  CHECK(skipped.empty());

  CHECK_FALSE(store::read_meta(database, "mode").has_value());
  store::write_meta(database, "mode", "legacy");
  store::write_meta(database, "mode", "scale");
  CHECK(store::read_meta(database, "mode") == "scale");
}

TEST_CASE("unreadable rows are left out and reported") {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  store::write_assignment(database, assignment("good"));
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE);
  shell.exec("INSERT INTO gateways (name) VALUES (''), ('gxy1'), ('a' || char(10))");
  shell.exec("INSERT INTO rooms (gateway_uid) VALUES ('..'), ('1234')");
  shell.exec("INSERT INTO room_server_assignments VALUES ('r1', 'gxy1', '', 'yesterday', 'now')");
  shell.exec("INSERT INTO room_server_assignments VALUES ('', 'gxy1', '', datetime(), datetime())");
  shell.exec("INSERT INTO room_server_assignments VALUES ('r2', 'gxy1', '', datetime(), datetime())");
  shell.exec("INSERT INTO sessions VALUES ('s', '', NULL, datetime()), ('t', 'r', NULL, 'x')");

  std::vector<std::string> skipped;
  CHECK(store::read_gateways(database, skipped).size() == 1);
  CHECK(skipped.size() == 2);
  CHECK(store::read_rooms(database, skipped).size() == 1);
  CHECK(skipped.size() == 3);
  CHECK(store::read_assignments(database, skipped).size() == 2);
  CHECK(skipped.size() == 5);
  CHECK(store::read_sessions(database, skipped).empty());
  CHECK(skipped.size() == 7);
}

TEST_CASE("a room that SQL has removed is removed, however the time is written") {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  store::write_room(database, room(1, "1"));
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE);
  struct Case {
    const char* sql;
    domain::WallTime time;
  };
  const Case cases[] = {{"'2027-01-15T08:00:05.000Z'", at(5)}, {"'2027-01-15 08:00:05'", at(5)},
                        {"'2027-01-15T08:00:05Z'", at(5)},     {"'2027-01-15'", at(-8 * 3600)},
                        {"'long ago'", domain::WallTime{}},    {"''", domain::WallTime{}}};
  for (const Case& one : cases) {
    CAPTURE(one.sql);
    shell.exec(std::string("UPDATE rooms SET removed_at = ") + one.sql);
    std::vector<std::string> skipped;
    const auto rows = store::read_rooms(database, skipped);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].room.removed);
    CHECK(rows[0].removed_at == one.time);
  }
}

TEST_CASE("the schema refuses what cannot be meant") {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE);
  for (const char* sql :
       {"INSERT INTO gateways (name, capacity) VALUES ('g', 0)",
        "INSERT INTO gateways (name, disabled) VALUES ('g', 2)",
        "INSERT INTO gateways (name, draining) VALUES ('g', 'yes')", "INSERT INTO gateways (name) VALUES (NULL)",
        "INSERT INTO rooms (gateway_uid, default_gateway_id) VALUES ('1', 'gxy1')",
        "INSERT INTO rooms (name) VALUES ('no uid')"}) {
    CAPTURE(sql);
    CHECK_THROWS_AS(shell.exec(sql), SQLite::Exception);
  }
  shell.exec("INSERT INTO gateways (name) VALUES ('g')");
  shell.exec("INSERT INTO rooms (gateway_uid, default_gateway_id) VALUES ('1', 999), ('2', NULL)");
}

TEST_CASE("the statements of the description run as they stand") {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  store::write_gateway(database, gateway(3, "gxy1"));
  store::RoomRow broken = room(2171, "2171");
  broken.room.default_gateway_id = domain::RowId{999};
  store::write_room(database, broken);
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE);
  SQLite::Statement find(shell, R"(-- Find rooms without valid gateway
SELECT r.id, r.name, r.default_gateway_id 
FROM rooms r 
LEFT JOIN gateways g ON r.default_gateway_id = g.id 
WHERE g.id IS NULL;
)");
  REQUIRE(find.executeStep());
  CHECK(find.getColumn(0).getInt64() == 2171);
  find.reset();
  shell.exec(R"(-- Fix: assign valid gateway to room
UPDATE rooms SET default_gateway_id = (SELECT id FROM gateways WHERE name = 'gxy1' LIMIT 1) WHERE id = 2171;
)");
  CHECK_FALSE(find.executeStep());
  CHECK(store::find_room_by_uid(database, "2171")->room.default_gateway_id == domain::RowId{3});
}

TEST_CASE("100 000 rooms and as many assignments are read in a blink") {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  constexpr int many = 100'000;
  database.transaction([&] {
    for (int i = 0; i < many; ++i) {
      store::write_room(database, room(i + 1, domain::RoomId(std::to_string(i))));
      store::write_assignment(database, assignment(std::to_string(i)));
    }
  });
  std::vector<std::string> skipped;
  const std::clock_t start = std::clock();
  CHECK(store::read_rooms(database, skipped).size() == many);
  CHECK(store::read_assignments(database, skipped).size() == many);
  const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  INFO("seconds of CPU: " << took);
  // 0.3 s is the aim; ten times that still separates a mistake from a slow machine or a sanitizer.
  CHECK(took < 3.0);
}

TEST_CASE("times are read as sqlite3, PostgreSQL and JavaScript write them") {
  const auto time = [](std::int64_t ms) { return domain::WallTime{std::chrono::milliseconds{ms}}; };
  constexpr std::int64_t noon = 1795435200'000;  // 2026-11-23T12:00:00Z
  const struct {
    std::string_view text;
    std::int64_t ms;
  } cases[] = {
      {"2026-11-23T12:00:00.123Z", noon + 123},
      {"2026-11-23 12:00:00", noon},
      {"2026-11-23 12:00:00.123", noon + 123},
      {"2026-11-23T12:00", noon},
      {"2026-11-23 12:00Z", noon},
      {"2026-11-23", noon - 12 * 3600'000},
      {"2026-11-23 14:00:00.123456+02", noon + 123},
      {"2026-11-23 14:00:00.1+02:00", noon + 100},
      {"2026-11-23T17:30:00+05:30", noon},
      {"2026-11-23 08:30:00-03:30", noon},
      {"2026-11-23 12:00:00+00", noon},
      {"2026-11-24T01:00:00.999999999+13:00", noon + 999},
      {"0000-01-01T00:00:00.000Z", -62167219200'000},
      {"9999-12-31T23:59:59.999Z", 253402300799'999},
  };
  for (const auto& one : cases) {
    CAPTURE(one.text);
    CHECK(store::column_time(one.text) == time(one.ms));
  }
  for (const char* text : {"",
                           "x",
                           "2026-11-23 ",
                           "2026-11-23T",
                           "2026-11-23 12",
                           "2026-11-23 12:0",
                           "2026-11-23 12:00:",
                           "2026-11-23 12:00:00.",
                           "2026-11-23 12:00:00,5",
                           "2026-11-23 24:00",
                           "2026-11-23 12:60",
                           "2026-02-30 12:00",
                           "2026-11-23 12:00:00+2",
                           "2026-11-23 12:00:00+24",
                           "2026-11-23 12:00:00+02:60",
                           "2026-11-23 12:00:00+02:",
                           "2026-11-23 12:00:00Z+02",
                           "2026-11-23 12:00:00 UTC",
                           "2026-11-23Z",
                           "23.11.2026",
                           "1795435200",
                           "infinity",
                           "0000-01-01 00:00+01",
                           "9999-12-31 23:59-01",
                           "2026-11-23 12:00:00Zx",
                           "2026-11-23  12:00"}) {
    CAPTURE(text);
    CHECK_FALSE(store::column_time(text));
  }
}
