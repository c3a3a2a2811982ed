// SQL planted in the file runs neither at the start nor in a command.
#include "store/shape.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include "catch.h"
#include "store/backup.h"
#include "store/connection.h"
#include "store/scratch.h"

using store::Database;
using store::Failure;
using store::OpenMode;

namespace {

// Alters the file by the sqlite3 shell, as a user with write permission; tables are rebuilt as in its manual.
void alter(const std::string& path, const std::string& sql) {
  SQLite::Database shell(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  sqlite3_db_config(shell.getHandle(), SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
  shell.exec(sql);
}

std::string made(const Scratch& scratch) {
  Database(scratch.database(), OpenMode::read_write);
  return scratch.database();
}

}  // namespace

TEST_CASE("a file with altered tables is refused, and none of its SQL runs") {
  const std::pair<const char*, const char*> alterations[] = {
      {"CREATE TRIGGER \"odd one\" AFTER INSERT ON rooms BEGIN DELETE FROM rooms; END",
       "table rooms has the trigger odd one, which could refuse or change rows; remove it with `DROP trigger \"odd "
       "one\"`"},
      {"CREATE TRIGGER t BEFORE DELETE ON Sessions BEGIN SELECT RAISE(IGNORE); END",
       "table sessions has the trigger t"},
      {"CREATE UNIQUE INDEX i ON room_server_assignments (region)", "table room_server_assignments has the index i"},
      {"CREATE INDEX i ON rooms (abs(id))", "table rooms has the index i"},
      {"CREATE INDEX i ON rooms (name) WHERE length(name) > 1", "table rooms has the index i"},
      {"CREATE INDEX i ON rooms (name COLLATE NOCASE)", "table rooms has the index i"},
      {"ALTER TABLE gateways ADD COLUMN note TEXT", "table gateways is not as room-sidecar made it"},
      {"ALTER TABLE rooms ADD COLUMN g TEXT AS (hex(zeroblob(1000000)))", "table rooms is not as room-sidecar made it"},
      {"ALTER TABLE rooms RENAME COLUMN disabled TO off", "table rooms is not as room-sidecar made it"},
      {"ALTER TABLE sessions RENAME TO was", "table sessions is missing"},
      {"DROP TABLE failovers", "table failovers is missing"},
      {"ALTER TABLE meta RENAME TO was; CREATE VIEW Meta AS WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x FROM "
       "n) "
       "SELECT x AS key, x AS value FROM n",
       "view Meta is where a table of room-sidecar belongs"},
      {"CREATE TRIGGER \"A\"\"; DROP TABLE rooms; --\" AFTER INSERT ON rooms BEGIN SELECT 1; END",
       "table rooms has the trigger A\"; DROP TABLE rooms; --, which could refuse or change rows; remove it with `DROP "
       "trigger \"A\"\"; DROP TABLE rooms; --\"`"},
      {"DROP TABLE meta; CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY ON CONFLICT IGNORE, value TEXT NOT NULL) "
       "STRICT, WITHOUT ROWID",
       "table meta is not as room-sidecar made it"},
      {"DROP TABLE meta; CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
       "table meta is not as room-sidecar made it"},
      {"DROP TABLE sessions; CREATE VIRTUAL TABLE sessions USING fts5 (session_id)",
       "table sessions is not as room-sidecar made it"},
  };
  for (const auto& [sql, sentence] : alterations) {
    CAPTURE(sql);
    const Scratch scratch;
    const std::string path = made(scratch);
    store::backup(path, scratch.file("sound"));
    {
      Database running(path, OpenMode::read_write);
      CHECK_FALSE(running.alteration());
      alter(path, sql);
      CHECK(running.alteration().value_or("").find("the database " + path + " was altered: " + sentence) == 0);
    }
    for (const auto mode : {OpenMode::read_write, OpenMode::existing, OpenMode::read_only, OpenMode::read_again}) {
      const Thrown thrown = thrown_by([&] { Database(path, mode); });
      CAPTURE(thrown.text);
      CHECK(thrown.kind == Failure::Kind::altered);
      CHECK(thrown.names("the database " + path + " was altered: " + sentence));
    }
    // A backup can still be made, but not restored.
    store::backup(path, scratch.file("backup"));
    const Thrown thrown = thrown_by([&] { store::restore(scratch.file("backup"), scratch.file("other.db")); });
    CHECK(thrown.kind == Failure::Kind::altered);
    CHECK(thrown.names(scratch.file("backup") + " is no backup that can be restored: " + sentence));
    store::restore(scratch.file("sound"), path);
    CHECK_FALSE(thrown_by([&] { Database(path, OpenMode::read_write); }).failed);
  }
}

TEST_CASE("other programs' tables, plain indexes and a table's spelling make no difference") {
  for (const char* sql :
       {"CREATE TABLE notes (x); CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM notes; END",
        "CREATE VIEW busy AS SELECT * FROM sessions", "CREATE INDEX i ON rooms (default_gateway_id)", "ANALYZE",
        "ALTER TABLE meta RENAME TO was; CREATE TABLE \"meta\" (\"key\" text not null primary key, -- as before\n"
        "  value TEXT /* ! */ NOT NULL) STRICT, WITHOUT ROWID; DROP TABLE was",
        "VACUUM"}) {
    CAPTURE(sql);
    const Scratch scratch;
    const std::string path = made(scratch);
    alter(path, sql);
    const Thrown thrown = thrown_by([&] { Database(path, OpenMode::read_write); });
    CAPTURE(thrown.text);
    CHECK_FALSE(thrown.failed);
  }
}

TEST_CASE("an endless statement of a command is given up") {
  const Scratch scratch;
  store::Connection connection(made(scratch), scratch.database(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
  connection.give_up_after(std::chrono::milliseconds{50});
  const Thrown thrown = thrown_by([&] {
    connection.integer("WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n");
  });
  CHECK(thrown.names("a statement did not end"));
}

TEST_CASE("SQL in the file calls only harmless functions, and changes no schema") {
  const Scratch scratch;
  const std::string path = made(scratch);
  alter(path,
        "CREATE VIEW v AS SELECT load_extension('/nowhere.so'); CREATE VIEW w AS SELECT 1 FROM pragma_data_version");
  store::Connection connection(path, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
  CHECK(thrown_by([&] { connection.integer("SELECT * FROM v"); }).names("unsafe use of"));
  CHECK(thrown_by([&] { connection.integer("SELECT * FROM w"); }).names("unsafe use of"));
  CHECK(
      thrown_by([&] { connection.execute("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = ''"); }).failed);
  CHECK(connection.integer("PRAGMA cell_size_check") == 1);
}

TEST_CASE("SQLite's messages about names in the file are harmless on a terminal") {
  const Scratch scratch;
  const std::string path = made(scratch);
  alter(path, "CREATE TABLE \"odd\x1b]0;owned\x07\" (x); CREATE VIEW v AS SELECT * FROM \"gone\x1b[2J\"");
  alter(path,
        "DROP TABLE rooms; CREATE VIEW rooms AS SELECT 1; CREATE TRIGGER \"t\x1b[31m\" INSTEAD OF INSERT ON rooms "
        "BEGIN SELECT 1; END");
  store::Connection connection(path, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
  for (const Thrown& thrown : {thrown_by([&] { connection.integer("SELECT * FROM v"); }),
                               thrown_by([&] { Database(path, OpenMode::read_write); })}) {
    CAPTURE(thrown.text);
    CHECK(thrown.failed);
    CHECK(thrown.text.find('\x1b') == std::string::npos);
  }
}
