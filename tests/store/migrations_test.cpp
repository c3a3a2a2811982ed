#include <SQLiteCpp/SQLiteCpp.h>

#include <fstream>

#include "catch.h"
#include "store/migrations.h"
#include "store/scratch.h"

using store::Database;
using store::Failure;
using store::Migration;
using store::OpenMode;

namespace {

const Migration two_steps[] = {
    {1, "CREATE TABLE a (x INTEGER) STRICT"},
    {2, "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x * 2; CREATE TABLE b (z TEXT)"},
};
const Migration failing_step[] = {
    two_steps[0],
    {2, "ALTER TABLE a ADD COLUMN y INTEGER; INSERT INTO nowhere VALUES (1)"},
};
constexpr std::span<const Migration> both(two_steps);
constexpr std::span<const Migration> first = both.subspan(0, 1);

std::int64_t ask(const std::string& path, const std::string& sql) {
  SQLite::Database shell(path, SQLite::OPEN_READWRITE);
  return shell.execAndGet(sql).getInt64();
}

}  // namespace

TEST_CASE("the embedded migrations are numbered 1, 2, … without a gap") {
  const auto migrations = store::embedded_migrations();
  REQUIRE_FALSE(migrations.empty());
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    CHECK(migrations[i].version == static_cast<int>(i) + 1);
  }
}

TEST_CASE("a new file has the newest version and the sidecar's application id") {
  const Scratch scratch;
  {
    const Database database(scratch.database(), OpenMode::read_write);
    CHECK(database.found_version() == 0);
    CHECK(database.writable());
  }
  CHECK(ask(scratch.database(), "PRAGMA user_version") == store::newest_version(store::embedded_migrations()));
  CHECK(ask(scratch.database(), "PRAGMA application_id") != 0);
  CHECK(Database(scratch.database(), OpenMode::read_write).found_version() ==
        store::newest_version(store::embedded_migrations()));
  CHECK_FALSE(std::filesystem::exists(scratch.database() + ".v1"));
}

TEST_CASE("an older file is copied with the content of its -wal, and migrated") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Database(path, OpenMode::read_write, first);
  // Held open, so that the row stays in the -wal.
  SQLite::Database shell(path, SQLite::OPEN_READWRITE);
  shell.exec("INSERT INTO a VALUES (21)");
  REQUIRE(std::filesystem::file_size(path + "-wal") > 0);
  {
    const Database database(path, OpenMode::read_write, both);
    CHECK(database.found_version() == 1);
  }
  CHECK(ask(path, "SELECT y FROM a") == 42);
  CHECK(ask(path, "PRAGMA user_version") == 2);
  CHECK(ask(path + ".v1", "SELECT x FROM a") == 21);
  CHECK(ask(path + ".v1", "PRAGMA user_version") == 1);

  SECTION("and an older program refuses it, and names the copy") {
    const auto thrown = thrown_by([&] { Database(path, OpenMode::read_write, first); });
    CHECK(thrown.kind == Failure::Kind::newer);
    CHECK(thrown.names(path + ".v1"));
    CHECK(thrown_by([&] { Database(path, OpenMode::read_only, first); }).kind == Failure::Kind::newer);
  }
}

TEST_CASE("a migration that fails leaves the file as it was") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Database(path, OpenMode::read_write, first);
  CHECK(thrown_by([&] { Database(path, OpenMode::read_write, failing_step); }).failed);
  CHECK(ask(path, "PRAGMA user_version") == 1);
  CHECK(ask(path, "SELECT count(*) FROM pragma_table_info('a')") == 1);
  CHECK(Database(path, OpenMode::read_write, both).writable());
}

TEST_CASE("check reads an older file as migrated, and changes nothing") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Database(path, OpenMode::read_write, first);
  {
    const Database database(path, OpenMode::read_only, both);
    CHECK(database.found_version() == 1);
  }
  CHECK(ask(path, "PRAGMA user_version") == 1);
  CHECK_FALSE(std::filesystem::exists(path + ".v1"));
}

TEST_CASE("other programs' databases are refused and left alone") {
  const Scratch scratch;
  const std::string path = scratch.database();
  const char* cases[] = {"CREATE TABLE theirs (x)", "PRAGMA user_version = 1", "PRAGMA application_id = 77",
                         "CREATE TABLE t (x); PRAGMA user_version = 1; PRAGMA application_id = 77"};
  for (const char* sql : cases) {
    CAPTURE(sql);
    std::filesystem::remove(path);
    {
      SQLite::Database shell(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      shell.exec(sql);
    }
    for (const auto mode : {OpenMode::read_write, OpenMode::existing, OpenMode::read_only}) {
      const auto thrown = thrown_by([&] { Database(path, mode); });
      CHECK(thrown.failed);
      CHECK(thrown.kind == Failure::Kind::not_ours);
    }
    SQLite::Database shell(path, SQLite::OPEN_READWRITE);
    CHECK(shell.execAndGet("PRAGMA journal_mode").getString() == "delete");
  }
}

TEST_CASE("an empty file becomes a database of the sidecar's") {
  const Scratch scratch;
  std::ofstream(scratch.database()).close();
  CHECK(Database(scratch.database(), OpenMode::read_write).writable());
}

TEST_CASE("a database filled from a dump is recognised by its tables, and the message says what to do") {
  const Scratch scratch;
  const std::string path = scratch.database();
  const auto all = store::embedded_migrations();
  for (const auto& version : all) {
    CAPTURE(version.version);
    Database(scratch.file("made"), OpenMode::read_write, all.subspan(0, static_cast<std::size_t>(version.version)));
    const std::string piped = "sqlite3 " + scratch.file("made") + " .dump | sqlite3 " + path;
    REQUIRE(std::system(piped.c_str()) == 0);
    const std::string marks =
        "PRAGMA application_id = 1382896483; PRAGMA user_version = " + std::to_string(version.version);
    for (const auto mode : {OpenMode::read_write, OpenMode::existing, OpenMode::read_only}) {
      const auto thrown = thrown_by([&] { Database(path, mode); });
      CHECK(thrown.kind == Failure::Kind::not_ours);
      CHECK(thrown.names(path + " has the tables of room-sidecar"));
      CHECK(thrown.names("sqlite3 " + path + " '" + marks + "'"));
    }
    SQLite::Database(path, SQLite::OPEN_READWRITE).exec(marks);
    CHECK(Database(path, OpenMode::read_write).found_version() == version.version);
    for (const std::string& file : {path, scratch.file("made")}) std::filesystem::remove(file);
  }
}

TEST_CASE("a database with only some of the sidecar's tables is another program's") {
  const Scratch scratch;
  SQLite::Database(scratch.database(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE rooms (id INTEGER PRIMARY KEY); CREATE TABLE sessions (x)");
  const auto thrown = thrown_by([&] { Database(scratch.database(), OpenMode::read_write); });
  CHECK(thrown.names("is a database of another program"));
}
