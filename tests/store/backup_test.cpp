#include "store/backup.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>

#include "catch.h"
#include "store/journal.h"
#include "store/owner.h"
#include "store/scratch.h"

using store::Database;
using store::Failure;
using store::OpenMode;

namespace {

void make(const std::string& path, const std::string& room) {
  Database database(path, OpenMode::read_write);
  store::write_assignment(database, assignment(room));
}

std::vector<std::string> rooms_in(const std::string& path) {
  std::vector<std::string> rooms;
  for (const auto& row : assignments_in(path)) rooms.push_back(row.room_id.text());
  return rooms;
}

using Rooms = std::vector<std::string>;

}  // namespace

TEST_CASE("a file with the -journal of an interrupted transaction is read as it was before that transaction") {
  const Scratch scratch;
  const std::string path = scratch.database();
  const std::string live = scratch.file("live.db");
  make(live, "a");
  SQLite::Database shell(live, SQLite::OPEN_READWRITE);
  shell.exec("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 2");
  shell.exec(
      "INSERT INTO room_server_assignments WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n LIMIT "
      "20000) "
      "SELECT 'b' || x, 'g', '', datetime(), datetime() FROM n");
  const auto is_before = [](const std::string& file) {
    Database reading(file, OpenMode::read_only);
    std::vector<std::string> skipped;
    const auto rows = store::read_assignments(reading, skipped);
    return rows.size() == 20001 &&
           std::all_of(rows.begin(), rows.end(), [](const auto& row) { return row.gateway_name != "changed"; });
  };
  // More pages than the cache holds, so that some are in the file.
  shell.exec("BEGIN; UPDATE room_server_assignments SET gateway_name = 'changed'");
  for (const char* suffix : {"", "-journal"}) std::filesystem::copy_file(live + suffix, path + suffix);
  CHECK(is_before(path));
  CHECK(std::filesystem::file_size(path + "-journal") > 0);  // the next writer undoes it
  store::backup(path, scratch.file("backup"));
  CHECK(is_before(scratch.file("backup")));
  // While that transaction is open the file is read as it is between commits, or is locked.
  const Thrown thrown = thrown_by([&] { store::backup(live, scratch.file("other")); });
  CHECK((!thrown.failed || thrown.kind == Failure::Kind::busy));
  CHECK(thrown_by([&] { store::backup(path, path + "-journal"); }).names("-journal itself"));
}

TEST_CASE("a backup is one sound file with all commits") {
  const Scratch scratch;
  const std::string path = scratch.database();
  const std::string target = scratch.file("backup");
  make(path, "a");
  SECTION("of a stopped sidecar") { store::backup(path, target); }
  SECTION("of rows that are in the -wal") {
    const Database running(path, OpenMode::read_write);
    SQLite::Database shell(path, SQLite::OPEN_READWRITE);
    shell.exec("DELETE FROM room_server_assignments");
    shell.exec("INSERT INTO room_server_assignments VALUES ('a', 'g', '', datetime(), datetime())");
    store::backup(path, target);
  }
  SECTION("over an older backup") {
    std::ofstream(target) << "old";
    store::backup(path, target);
  }
  CHECK_FALSE(std::filesystem::exists(target + "-wal"));
  Database copy(target, OpenMode::read_only);
  std::vector<std::string> skipped;
  CHECK(store::read_assignments(copy, skipped).size() == 1);
  CHECK_FALSE(std::filesystem::exists(target + "-shm"));
}

TEST_CASE("a backup made by another process while rows are written is consistent") {
  const Scratch scratch;
  const std::string path = scratch.database();
  const std::string target = scratch.file("backup");
  make(path, "a");
  const Child child;
  if (child.pid == 0) {
    // Each transaction keeps the number of rows at one.
    SQLite::Database writer(path, SQLite::OPEN_READWRITE, 1000);
    for (int i = 0;; ++i) {
      const std::string room = "'" + std::to_string(i) + "'";
      writer.exec(
          "BEGIN IMMEDIATE; DELETE FROM room_server_assignments; INSERT INTO "
          "room_server_assignments VALUES (" +
          room + ", 'g', '', datetime(), datetime()); COMMIT");
    }
  }
  for (int i = 0; i < 20; ++i) {
    store::backup(path, target);
    Database copy(target, OpenMode::read_only);
    std::vector<std::string> skipped;
    CHECK(store::read_assignments(copy, skipped).size() == 1);
  }
}

TEST_CASE("a backup removes the leftovers of a killed one, and no file of a running one") {
  const Scratch scratch;
  const std::string target = scratch.file("backup");
  make(scratch.database(), "a");
  const std::string left = target + ".unfinished-1";
  const std::string in_work = target + ".unfinished-2";
  for (const auto& file : {left, in_work, scratch.file("backup2.unfinished-1")}) {
    std::ofstream(file) << "half";
  }
  const int fd = ::open(in_work.c_str(), O_RDONLY);
  REQUIRE(::flock(fd, LOCK_EX) == 0);
  store::backup(scratch.database(), target);
  CHECK_FALSE(std::filesystem::exists(left));
  CHECK(std::filesystem::exists(in_work));
  CHECK(std::filesystem::exists(scratch.file("backup2.unfinished-1")));
  ::close(fd);
  CHECK(rooms_in(target) == Rooms{"a"});
}

TEST_CASE("a backup refuses bad sources, and targets that it would harm") {
  const Scratch scratch;
  const std::string path = scratch.database();
  make(path, "a");
  std::filesystem::create_symlink(path, scratch.file("link"));
  std::filesystem::create_hard_link(path, scratch.file("hard"));
  for (const std::string& target : {path, scratch.file("link"), scratch.file("hard"), path + "-wal", path + ".lock",
                                    scratch.path(), std::string("/dev/null")}) {
    CAPTURE(target);
    CHECK(thrown_by([&] { store::backup(path, target); }).kind == Failure::Kind::unusable);
  }
  std::filesystem::remove(scratch.file("hard"));
  CHECK(rooms_in(path) == Rooms{"a"});
  CHECK(thrown_by([&] { store::backup(scratch.file("none"), scratch.file("b")); }).failed);
  CHECK_FALSE(std::filesystem::exists(scratch.file("none")));
  std::ofstream(scratch.file("text")) << std::string(8192, 't');
  CHECK(thrown_by([&] { store::backup(scratch.file("text"), scratch.file("b")); }).kind == Failure::Kind::damaged);
  CHECK_FALSE(std::filesystem::exists(scratch.file("b")));
}

TEST_CASE("restore puts the backup in place, and keeps the previous files") {
  const Scratch scratch;
  const std::string path = scratch.database();
  const std::string copy = scratch.file("backup");
  make(scratch.file("other.db"), "old");
  store::backup(scratch.file("other.db"), copy);
  SECTION("where nothing was") { store::restore(copy, path); }
  SECTION("in the place of a sound one with its -wal") {
    make(path, "new");
    const pid_t child = ::fork();
    if (child == 0) {
      auto* killed = new Database(path, OpenMode::read_write);
      store::write_assignment(*killed, assignment("newest"));
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(std::filesystem::file_size(path + "-wal") > 0);
    ::chmod(path.c_str(), 0604);
    if (::geteuid() == 0) {
      REQUIRE(::chown(path.c_str(), 12345, 12346) == 0);
      ::chmod(scratch.path().c_str(), 0777);
    }
    store::restore(copy, path);
    struct stat made = {};
    REQUIRE(::stat(path.c_str(), &made) == 0);
    CHECK((made.st_mode & 0777) == 0604);
    if (::geteuid() == 0) CHECK(made.st_uid == 12345);
    if (::geteuid() == 0) CHECK(made.st_gid == 12346);
    CHECK(rooms_in(path + ".before-restore") == Rooms{"new", "newest"});
  }
  SECTION("in the place of a damaged one, twice") {
    for (int i = 0; i < 2; ++i) {
      std::ofstream(path) << "damaged";
      store::restore(copy, path);
      CHECK(std::filesystem::file_size(path + ".before-restore") == 7);
    }
  }
  CHECK(rooms_in(path) == Rooms{"old"});
  CHECK(rooms_in(copy) == Rooms{"old"});
}

TEST_CASE("restore refuses without touching anything") {
  const Scratch scratch;
  const std::string path = scratch.database();
  const std::string copy = scratch.file("backup");
  make(path, "a");
  store::backup(path, copy);
  Failure::Kind expected{};
  std::string words;
  std::string from = copy;
  std::unique_ptr<store::Owner> owner;
  SECTION("while the database is owned") {
    owner = std::make_unique<store::Owner>(path);
    expected = Failure::Kind::locked_by_other;
  }
  SECTION("the database itself") {
    std::filesystem::create_symlink(path, scratch.file("link"));
    from = scratch.file("link");
    expected = Failure::Kind::unusable;
  }
  SECTION("a file that is not there") {
    from = scratch.file("none");
    expected = Failure::Kind::unusable;
    words = "there is no backup at " + from;
  }
  SECTION("a file that is no database") {
    std::ofstream(copy) << std::string(5000, 'x');
    expected = Failure::Kind::damaged;
  }
  SECTION("another program's database") {
    from = scratch.file("theirs");
    SQLite::Database(from, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec("CREATE TABLE t (x)");
    expected = Failure::Kind::not_ours;
  }
  SECTION("a newer version's") {
    SQLite::Database(copy, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
    expected = Failure::Kind::newer;
  }
  const auto thrown = thrown_by([&] { store::restore(from, path); });
  CHECK(thrown.failed);
  CHECK(thrown.kind == expected);
  CHECK(thrown.names(words));
  owner.reset();
  CHECK(rooms_in(path) == Rooms{"a"});
  CHECK_FALSE(std::filesystem::exists(path + ".before-restore"));
}
