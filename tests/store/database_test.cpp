#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "catch.h"
#include "store/log_damage.h"
#include "store/owner.h"
#include "store/rooms_table.h"
#include "store/scratch.h"

using store::Database;
using store::Failure;
using store::OpenMode;

namespace {

std::size_t rooms_seen(Database& database) {
  std::vector<std::string> skipped;
  return store::read_rooms(database, skipped).size();
}

void add_room(Database& database, std::int64_t id) {
  store::RoomRow row;
  row.room.id = domain::RowId(id);
  row.room.gateway_uid = domain::RoomId(std::to_string(id));
  store::write_room(database, row);
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

// Runs the task in a child process, which may drop its rights and has locks of its own. Returns its verdict.
bool in_child(const std::function<bool()>& task) {
  const pid_t child = ::fork();
  if (child == 0) {
    bool good = false;
    try {
      good = task();
    } catch (const std::exception& exception) {
      ::write(2, exception.what(), std::string(exception.what()).size());
      ::write(2, "\n", 1);
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// In bytes.
std::uintmax_t peak_memory() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line) && !line.starts_with("VmHWM:")) {
  }
  return std::stoull(line.substr(6)) * 1024;
}

// Leaves a database whose newest row is in the -wal only, as after kill -9.
void make_with_wal(const std::string& path) {
  Database(path, OpenMode::read_write);
  REQUIRE(in_child([&] {
    auto* database = new Database(path, OpenMode::read_write);
    add_room(*database, 1);
    ::_exit(0);
    return false;
  }));
  REQUIRE(std::filesystem::file_size(path + "-wal") > 0);
}

}  // namespace

TEST_CASE("a new file uses a write-ahead log with full sync") {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READONLY);
  CHECK(shell.execAndGet("PRAGMA journal_mode").getString() == "wal");
  CHECK(database.path() == std::filesystem::canonical(scratch.database()).string());
}

TEST_CASE("a link to the file is followed, and odd names are accepted as they are") {
  const Scratch scratch;
  std::filesystem::create_directory(scratch.file("real"));
  const std::string real = scratch.file("real/what? 100% #1.db");
  Database(real, OpenMode::read_write);
  std::filesystem::create_symlink(real, scratch.database());
  CHECK(Database(scratch.database(), OpenMode::read_write).path() == real);
  Database reading(scratch.database(), OpenMode::read_only);
  CHECK(rooms_seen(reading) == 0);
  CHECK(files_in(scratch.file("real")).size() == 1);
}

TEST_CASE("a file with a second name is refused until that name is gone") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Database(path, OpenMode::read_write);
  const std::string second = scratch.file("second.db");
  std::filesystem::create_hard_link(path, second);
  for (const auto mode : {OpenMode::read_write, OpenMode::existing}) {
    for (const std::string& name : {path, second}) {
      const auto thrown = thrown_by([&] { Database(name, mode); });
      CHECK(thrown.kind == Failure::Kind::unusable);
      CHECK(thrown.names("hard link"));
    }
  }
  CHECK(files_in(scratch.path()).size() == 2);
  CHECK(Database(path, OpenMode::read_only).found_version() > 0);
  std::filesystem::remove(second);
  CHECK(Database(path, OpenMode::read_write).writable());
  // As a restore leaves it that was killed.
  std::filesystem::create_hard_link(path, path + ".before-restore");
  CHECK(Database(path, OpenMode::read_write).writable());
}

TEST_CASE("an empty file reads as an empty database") {
  const Scratch scratch;
  const std::string path = scratch.database();
  std::ofstream(path).close();
  {
    Database reading(path, OpenMode::read_only);
    CHECK(rooms_seen(reading) == 0);
    CHECK(reading.found_version() == 0);
  }
  CHECK(std::filesystem::file_size(path) == 0);
  CHECK(files_in(scratch.path()).size() == 1);
}

TEST_CASE("only serve makes a database") {
  const Scratch scratch;
  for (const auto mode : {OpenMode::existing, OpenMode::read_only}) {
    CHECK(thrown_by([&] { Database(scratch.database(), mode); }).kind == Failure::Kind::unusable);
  }
  CHECK(files_in(scratch.path()).empty());
  const auto thrown = thrown_by([&] { Database(scratch.file("no/such/folder.db"), OpenMode::read_write); });
  CHECK(thrown.kind == Failure::Kind::unusable);
  CHECK(thrown.names("folder"));
}

TEST_CASE("a damaged file is refused with both remedies named, and not changed") {
  const Scratch scratch;
  const std::string path = scratch.database();
  {
    Database database(path, OpenMode::read_write);
    database.transaction([&] {
      for (int i = 1; i < 3000; ++i) add_room(database, i);
    });
  }
  std::string bytes = content_of(path);
  SECTION("in its middle") { std::fill(bytes.begin() + 16384, bytes.begin() + 40960, '\x55'); }
  SECTION("in its head") { std::fill(bytes.begin(), bytes.begin() + 200, '\x55'); }
  SECTION("by truncation") { bytes.resize(bytes.size() / 2); }
  std::ofstream(path, std::ios::binary) << bytes;
  for (const auto mode : {OpenMode::read_write, OpenMode::existing, OpenMode::read_only}) {
    const auto thrown = thrown_by([&] { Database(path, mode); });
    CHECK(thrown.failed);
    CHECK(thrown.kind == Failure::Kind::damaged);
    CHECK(thrown.names("room-sidecar restore FILE"));
    CHECK(thrown.names("serve --set-aside-damaged"));
  }
  CHECK(content_of(path) == bytes);

  std::ofstream(path + "-wal") << "w";
  const auto now = domain::wall_time_from("2026-11-23T03:27:00.123Z").value();
  const std::string aside = store::set_aside_damaged(path, now);
  CHECK(aside == path + ".damaged-20261123T032700Z");
  CHECK(content_of(aside) == bytes);
  CHECK(content_of(aside + "-wal") == "w");
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_FALSE(std::filesystem::exists(path + "-wal"));
  std::ofstream(path) << "again";
  CHECK(store::set_aside_damaged(path, now) == aside + "-2");
}

TEST_CASE("check leaves every file as it is") {
  const Scratch scratch;
  const std::string path = scratch.database();
  SECTION("without a -wal") {
    {
      Database database(path, OpenMode::read_write);
      add_room(database, 1);
    }
    REQUIRE_FALSE(std::filesystem::exists(path + "-wal"));
    const std::string before = content_of(path);
    {
      Database reading(path, OpenMode::read_only);
      CHECK(rooms_seen(reading) == 1);
      CHECK_FALSE(reading.writable());
      CHECK_FALSE(reading.try_make_writable());
      CHECK(files_in(scratch.path()).size() == 1);
    }
    CHECK(files_in(scratch.path()).size() == 1);
    CHECK(content_of(path) == before);
  }
  SECTION("with a -wal of a killed sidecar and no -shm") {
    make_with_wal(path);
    std::filesystem::remove(path + "-shm");
    const std::string before = content_of(path) + content_of(path + "-wal");
    {
      Database reading(path, OpenMode::read_only);
      CHECK(rooms_seen(reading) == 1);
    }
    CHECK(content_of(path) + content_of(path + "-wal") == before);
    CHECK_FALSE(std::filesystem::exists(path + "-shm"));
  }
  SECTION("with both") {
    make_with_wal(path);
    const std::string before = content_of(path) + content_of(path + "-wal");
    {
      Database reading(path, OpenMode::read_only);
      CHECK(rooms_seen(reading) == 1);
    }
    CHECK(content_of(path) + content_of(path + "-wal") == before);
  }
  SECTION("beside a running sidecar, in another process") {
    Database running(path, OpenMode::read_write);
    add_room(running, 1);
    CHECK(in_child([&] {
      Database reading(path, OpenMode::read_only);
      return rooms_seen(reading) == 1;
    }));
    running.transaction([&] { add_room(running, 2); });
    CHECK(rooms_seen(running) == 2);
  }
}

TEST_CASE("a huge -wal is checked at the start in little memory") {
  const Scratch scratch;
  const std::string path = scratch.database();
  make_with_wal(path);
  constexpr std::uintmax_t large = 256 * 1024 * 1024;
  std::filesystem::resize_file(path + "-wal", large);  // takes no disk
  std::ofstream("/proc/self/clear_refs") << 5;         // the peak begins anew
  const auto before = peak_memory();
  store::refuse_damaged_log(path);
  CHECK(peak_memory() - before < large / 8);
}

TEST_CASE("a read-only file is served, and written again once that is possible") {
  if (::geteuid() != 0) return;  // needs two users
  const Scratch scratch;
  const std::string path = scratch.database();
  {
    Database database(path, OpenMode::read_write);
    add_room(database, 1);
  }
  ::chmod(scratch.path().c_str(), 0755);
  ::chmod(path.c_str(), 0644);
  CHECK(in_child([&] {
    if (::seteuid(65534) != 0) return false;
    Database database(path, OpenMode::read_write);
    bool good = !database.writable() && rooms_seen(database) == 1;
    good = good && database.why_not_writable().find("may be written") != std::string::npos;
    good = good && thrown_by([&] { database.transaction([] {}); }).kind == Failure::Kind::read_only;
    good = good && !database.try_make_writable() && rooms_seen(database) == 1;
    if (::seteuid(0) != 0) return false;
    ::chown(scratch.path().c_str(), 65534, 65534);
    ::chown(path.c_str(), 65534, 65534);
    if (::seteuid(65534) != 0) return false;
    good = good && database.try_make_writable() && database.writable() && database.why_not_writable().empty();
    database.transaction([&] { add_room(database, 2); });
    return good && rooms_seen(database) == 2;
  }));
}

TEST_CASE("a file on a full disk is served") {
  const Scratch scratch;
  if (::geteuid() != 0) return;
  const std::string mount = "mount -t tmpfs -o size=1m none " + scratch.path();
  if (std::system((mount + " 2>/dev/null").c_str()) != 0) {
    WARN("not tested: nothing may be mounted here");
    return;
  }
  {
    const std::string path = scratch.database();
    {
      Database database(path, OpenMode::read_write);
      add_room(database, 1);
    }
    {
      std::ofstream filler(scratch.file("filler"), std::ios::binary);
      for (int i = 0; i < 2'000'000 && filler; ++i) filler.put('x').flush();
    }
    Database database(path, OpenMode::read_write);
    CHECK_FALSE(database.writable());
    CHECK(rooms_seen(database) == 1);
    CHECK_FALSE(database.try_make_writable());
    CHECK(rooms_seen(database) == 1);
    std::filesystem::remove(scratch.file("filler"));
    CHECK(database.try_make_writable());
    add_room(database, 2);
    CHECK(rooms_seen(database) == 2);
  }
  CHECK(std::system(("umount " + scratch.path()).c_str()) == 0);
}

TEST_CASE("commits of other connections are noticed, and own ones are not") {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  CHECK_FALSE(database.changed_by_others());
  add_room(database, 1);
  CHECK_FALSE(database.changed_by_others());
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE);
  shell.exec("UPDATE rooms SET name = 'x'");
  CHECK(database.changed_by_others());
  CHECK_FALSE(database.changed_by_others());
}

TEST_CASE("a command migrates only while nobody owns the file") {
  const store::Migration steps[] = {{1, "CREATE TABLE a (x)"}, {2, "CREATE TABLE b (x)"}};
  const std::span<const store::Migration> both(steps);
  const Scratch scratch;
  const std::string path = scratch.database();
  Database(path, OpenMode::read_write, both.subspan(0, 1));
  {
    const store::Owner owner(path);
    CHECK(thrown_by([&] { Database(path, OpenMode::existing, both); }).kind == Failure::Kind::locked_by_other);
  }
  CHECK(Database(path, OpenMode::existing, both).found_version() == 1);
  CHECK(Database(path, OpenMode::existing, both).found_version() == 2);
}
