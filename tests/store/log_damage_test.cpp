// A file and a -wal that do not belong together: each is sound by itself, and SQLite takes them for one.
#include <SQLiteCpp/SQLiteCpp.h>
#include <iterator>
#include <optional>
#include <random>

#include "catch.h"
#include "store/backup.h"
#include "store/journal.h"
#include "store/log_damage.h"
#include "store/scratch.h"

using store::Database;
using store::Failure;
using store::Journal;
using store::OpenMode;

namespace {

namespace fs = std::filesystem;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string salt_in(const std::string& log) { return bytes_of(log).substr(16, 8); }

void copy(const std::string& from, const std::string& to) {
  fs::copy_file(from, to, fs::copy_options::overwrite_existing);
}

// A sidecar's journal under load, whose files are copied now and then.
class Served {
 public:
  Served() { start(); }

  std::string path() const { return scratch_.database(); }
  std::string file(const std::string& name) const { return scratch_.file(name); }

  // Large rows all over the table, so that each commit changes many pages.
  void write() {
    for (int i = 0; i < 60; ++i) write_room(std::to_string(random_()));
    REQUIRE(journal_->flush());
  }
  // A row that is there, so that the file does not grow.
  void write_again() {
    journal_->note(assignment("again", "gxy" + std::to_string(random_() % 10)));
    REQUIRE(journal_->flush());
  }
  // Until the -wal has started over, and holds something again.
  void write_past_a_checkpoint() {
    const std::string salt = salt_in(path() + "-wal");
    REQUIRE(comes_true([&] {
      write();
      return salt_in(path() + "-wal") != salt;
    }));
  }
  void copy_file_as(const std::string& name) { copy(path(), file(name)); }
  void copy_log_as(const std::string& name) { copy(path() + "-wal", file(name) + "-wal"); }

  void restart() {
    journal_.reset();
    start();
  }

 private:
  void write_room(const std::string& id) { journal_->note(assignment(id, std::string(1500, 'x'))); }
  void start() { journal_.emplace(Database(path(), OpenMode::read_write), Journal::Callbacks{}); }

  std::mt19937_64 random_{7};
  const Scratch scratch_;
  std::optional<Journal> journal_;
};

Thrown opened(const std::string& path, OpenMode mode = OpenMode::read_write) {
  return thrown_by([&] { Database(path, mode); });
}

void expect_refused(const std::string& path) {
  const std::string file = bytes_of(path);
  const std::string log = bytes_of(path + "-wal");
  for (const auto mode : {OpenMode::read_write, OpenMode::existing, OpenMode::read_only}) {
    const Thrown thrown = opened(path, mode);
    CAPTURE(thrown.text);
    CHECK(thrown.kind == Failure::Kind::damaged);
    CHECK(thrown.names("its -wal belongs to another state"));
  }
  CHECK(thrown_by([&] { store::backup(path, path + ".backup"); }).kind == Failure::Kind::damaged);
  CHECK(bytes_of(path) == file);
  CHECK(bytes_of(path + "-wal") == log);
}

}  // namespace

TEST_CASE("rows out of order count as damage") {
  const Scratch scratch;
  {
    Database database(scratch.database(), OpenMode::read_write);
    database.transaction([&] {
      for (const char* room : {"a", "b", "c"}) store::write_assignment(database, assignment(room));
    });
  }
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READONLY);
  const auto page =
      shell.execAndGet("SELECT rootpage FROM sqlite_schema WHERE name = 'room_server_assignments'").getInt();
  std::fstream file(scratch.database(), std::ios::in | std::ios::out | std::ios::binary);
  const auto pointers = static_cast<std::streamoff>(page - 1) * 4096 + 8;
  std::string cells(4, ' ');
  file.seekg(pointers).read(cells.data(), 4);
  file.seekp(pointers).write((cells.substr(2) + cells.substr(0, 2)).data(), 4);
  file.close();
  const Thrown thrown = opened(scratch.database());
  CHECK(thrown.kind == Failure::Kind::damaged);
  CHECK(thrown.names("order"));
}

TEST_CASE("a file and a -wal copied at different moments are refused") {
  Served served;
  served.write();
  served.copy_file_as("old");
  served.copy_log_as("old_log");
  served.write_past_a_checkpoint();
  served.copy_file_as("next");
  served.write_past_a_checkpoint();
  served.copy_log_as("old");
  served.copy_log_as("next");
  served.copy_file_as("old_log");
  SECTION("an old file beside a new -wal") { expect_refused(served.file("old")); }
  SECTION("a file of the round before") { expect_refused(served.file("next")); }
  SECTION("a new file beside an old -wal") { expect_refused(served.file("old_log")); }
}

TEST_CASE("a file from before a stop is refused with a -wal from after it") {
  Served served;
  served.write_again();
  served.restart();
  served.copy_file_as("before");
  served.write_again();
  served.restart();
  served.write();
  served.copy_log_as("before");
  expect_refused(served.file("before"));
}

TEST_CASE("a file and its own -wal are never refused while another program writes them") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Database(path, OpenMode::read_write);
  Child child;
  if (child.pid == 0) {
    SQLite::Database writer(path, SQLite::OPEN_READWRITE, 5000);
    writer.exec("PRAGMA synchronous = OFF");
    for (;;) {
      writer.tryExec("INSERT INTO room_server_assignments VALUES (random(), hex(randomblob(1000)), '', '', '')");
      writer.tryExec("DELETE FROM room_server_assignments");
    }
  }
  REQUIRE(comes_true([&] { return fs::exists(path + "-wal") && fs::file_size(path + "-wal") > 0; }));
  for (int i = 0; i < 40; ++i) REQUIRE_NOTHROW(store::refuse_damaged_log(path));
}

TEST_CASE("a file with a begun checkpoint is refused with the -wal of the next round") {
  // The checkpointed pages are in the file, and later ones are not.
  Served served;
  served.write_past_a_checkpoint();
  REQUIRE(comes_true([&] {
    served.write();
    return fs::file_size(served.path() + "-wal") > 900 * 4096;
  }));
  {
    SQLite::Database shell(served.path(), SQLite::OPEN_READWRITE);
    shell.exec("PRAGMA wal_checkpoint(PASSIVE)");
  }
  served.copy_file_as("half");
  served.copy_log_as("half");
  const bool is_whole = !opened(served.file("half")).failed;
  CHECK(is_whole);
  served.copy_file_as("half");
  served.write();
  served.write_past_a_checkpoint();
  served.copy_log_as("half");
  expect_refused(served.file("half"));
}

TEST_CASE("a backup beside the -wal of the file that it replaced is refused") {
  Served served;
  served.write();
  served.copy_log_as("of_now");
  store::backup(served.path(), served.file("of_now"));
  expect_refused(served.file("of_now"));
  const Scratch scratch;
  const Thrown thrown = thrown_by([&] { store::restore(served.file("of_now"), scratch.database()); });
  CHECK(thrown.names(served.file("of_now") + " is no backup"));
  CHECK(thrown.names("its -wal belongs to another state"));
  CHECK_FALSE(thrown.names("set-aside-damaged"));
}

TEST_CASE("the -wal that a killed process left always belongs to its file") {
  const int rounds = 12;
  for (int round = 0; round < rounds; ++round) {
    const Scratch scratch;
    const std::string path = scratch.database();
    Child child;
    if (child.pid == 0) {
      Journal journal(Database(path, OpenMode::read_write), {});
      SQLite::Database shell(path, SQLite::OPEN_READWRITE, 5000);
      std::mt19937_64 random(static_cast<unsigned>(round));
      for (;;) {
        for (int i = 0; i < 60; ++i) journal.note(assignment(std::to_string(random())));
        journal.flush();
        // Other connections commit, grow, shrink and checkpoint the file as well.
        const auto lot = random() % 40;
        if (lot < 3) shell.tryExec("UPDATE rooms SET name = 'x'; INSERT INTO rooms (gateway_uid) VALUES (random())");
        if (lot == 4) shell.tryExec("DELETE FROM room_server_assignments");
        if (lot == 5) shell.tryExec("VACUUM");
        if (lot == 6) shell.tryExec("PRAGMA wal_checkpoint(RESTART)");
        if (lot == 7) shell.tryExec("PRAGMA wal_checkpoint(TRUNCATE)");
      }
    }
    const auto size = static_cast<std::uintmax_t>(round + 1) * 400 * 1024;
    REQUIRE(comes_true([&] {
      std::error_code none;
      return fs::file_size(path + "-wal", none) >= std::min<std::uintmax_t>(size, 4'000'000) && !none;
    }));
    std::this_thread::sleep_for(std::chrono::milliseconds{round * 37});  // any instant will do
    child.kill();
    const Thrown thrown = opened(path);
    CAPTURE(round, thrown.text);
    CHECK_FALSE(thrown.failed);
  }
}
