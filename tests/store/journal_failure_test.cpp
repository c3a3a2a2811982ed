// The journal while the file cannot be written, and afterwards.
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "catch.h"
#include "pace.h"
#include "store/failovers_table.h"
#include "store/gateways_table.h"
#include "store/journal.h"
#include "store/meta_table.h"
#include "store/rooms_table.h"
#include "store/scratch.h"

using store::Database;
using store::Failure;
using store::Journal;
using store::OpenMode;

namespace {

using namespace std::chrono_literals;

class Observer {
 public:
  Journal::Callbacks callbacks() {
    Journal::Callbacks all;
    all.failing = [this](const std::string& reason) { note("failing: " + reason); };
    all.recovered = [this] { note("recovered"); };
    all.event = [this](const std::string& text) { note("event: " + text); };
    return all;
  }
  // The number of reports that begin so.
  int count(const std::string& beginning) const {
    const std::lock_guard lock(mutex_);
    int found = 0;
    for (const auto& line : lines_) found += line.rfind(beginning, 0) == 0 ? 1 : 0;
    return found;
  }

 private:
  void note(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// Asks for a row and waits for the verdict.
bool is_written(Journal& journal, const domain::Assignment& row) {
  std::atomic<int> verdict{-1};
  journal.write_assignment(row, [&](bool committed) { verdict = committed ? 1 : 0; });
  REQUIRE(comes_true([&] { return verdict != -1; }));
  return verdict == 1;
}

}  // namespace

TEST_CASE("rows are refused and notes are kept while another program holds the lock") {
  const Scratch scratch;
  Observer observer;
  Journal journal(Database(scratch.database(), OpenMode::read_write), observer.callbacks());
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE);
  shell.exec("BEGIN EXCLUSIVE");
  const auto heartbeats = journal.heartbeats();
  CHECK_FALSE(is_written(journal, assignment("refused")));
  CHECK(journal.heartbeats() > heartbeats + 4);  // alive while it waits
  CHECK_FALSE(is_written(journal, assignment("refused")));
  CHECK(journal.failure().has_value());
  CHECK(tests::takes_less_than(5s, [&] {  // a note does not wait for the disk
    for (int i = 0; i < 1000; ++i) journal.note(session(std::to_string(i % 7), "r"));
  }));
  CHECK_FALSE(journal.flush());
  CHECK(thrown_by([&] { journal.run([](Database&) {}); }).failed);
  shell.exec("ROLLBACK");
  CHECK(comes_true([&] { return !journal.failure().has_value(); }));
  CHECK(comes_true([&] { return sessions_in(scratch.database()).size() == 7; }));
  CHECK(is_written(journal, assignment("taken")));
  CHECK(assignments_in(scratch.database()).size() == 1);
  CHECK(observer.count("failing") == 1);
  CHECK(observer.count("recovered") == 1);
}

TEST_CASE("a note after a refusal wins over the refused row") {
  const Scratch scratch;
  Journal journal(Database(scratch.database(), OpenMode::read_write), {});
  CHECK(is_written(journal, assignment("r", "old")));
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE);
  shell.exec("BEGIN IMMEDIATE");
  journal.note(assignment("kept", "k"));
  std::atomic<bool> reported{false};
  journal.write_assignment(assignment("r", "moved"), [&](bool committed) {
    if (!committed) journal.note(assignment("r", "back"));
    reported = true;
  });
  REQUIRE(comes_true([&] { return reported.load(); }));
  shell.exec("ROLLBACK");
  REQUIRE(comes_true([&] { return journal.flush(); }));
  const auto rows = assignments_in(scratch.database());
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].gateway_name == "k");
  CHECK(rows[1].gateway_name == "back");
}

TEST_CASE("the journal notices working storage even without anything to write") {
  const Scratch scratch;
  Observer observer;
  Journal journal(Database(scratch.database(), OpenMode::read_write), observer.callbacks());
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE);
  shell.exec("BEGIN IMMEDIATE");
  CHECK_FALSE(is_written(journal, assignment("r")));
  shell.exec("ROLLBACK");
  CHECK(comes_true([&] { return observer.count("recovered") == 1; }));
}

TEST_CASE("a full database refuses rows, and takes them again when there is space") {
  Observer observer;
  const Scratch mounted;
  if (std::system(("mount -t tmpfs -o size=1m none " + mounted.path() + " 2>/dev/null").c_str()) != 0) {
    WARN("not tested: nothing may be mounted here");
    return;
  }
  {
    Journal small(Database(mounted.database(), OpenMode::read_write), observer.callbacks());
    CHECK(is_written(small, assignment("first")));
    {
      std::ofstream filler(mounted.file("filler"), std::ios::binary);
      for (int i = 0; i < 2'000'000 && filler; ++i) filler.put('x').flush();
    }
    int refused = 0;
    for (int i = 0; i < 20; ++i) {
      refused += is_written(small, assignment("r" + std::string(200, 'x') + std::to_string(i))) ? 0 : 1;
    }
    CHECK(refused > 0);
    CHECK(small.failure().has_value());
    small.note(session("s", "first"));
    CHECK_FALSE(small.flush());
    std::size_t rows = 0;
    small.read([&](Database& database) {
      std::vector<std::string> skipped;
      rows = store::read_assignments(database, skipped).size();
    });
    CHECK(rows >= 1);
    std::filesystem::remove(mounted.file("filler"));
    CHECK(comes_true([&] { return observer.count("recovered") == 1; }));
    for (int i = 0; i < 20; ++i) CHECK(is_written(small, assignment("again" + std::to_string(i))));
    CHECK(small.flush());
    CHECK(sessions_in(mounted.database()).size() == 1);
    CHECK(observer.count("failing") == 1);
  }
  CHECK(std::system(("umount " + mounted.path()).c_str()) == 0);
}

TEST_CASE("a file that disappeared is written anew from the open connection") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Observer observer;
  {
    Journal journal(Database(path, OpenMode::read_write), observer.callbacks());
    CHECK(is_written(journal, assignment("before")));
    journal.note(session("s", "before"));
    SECTION("alone") { std::filesystem::remove(path); }
    SECTION("with its -wal and -shm") {
      for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
    }
    SECTION("while a row is requested") {
      std::filesystem::remove(path);
      is_written(journal, assignment("meanwhile"));
    }
    CHECK(comes_true([&] { return observer.count("recovered") == 1; }));
    CHECK(std::filesystem::exists(path));
    CHECK(observer.count("failing: the database") == 1);
    CHECK(observer.count("event") == 1);
    CHECK(is_written(journal, assignment("later")));
    CHECK(journal.flush());
    const auto rows = assignments_in(path);
    CHECK(rows.front().room_id == "before");
    CHECK(rows.back().room_id == "later");
    CHECK(sessions_in(path).size() == 1);
    // Twice is no harder than once.
    std::filesystem::remove(path);
    CHECK(comes_true([&] { return observer.count("recovered") == 2; }));
    CHECK(is_written(journal, assignment("zzz")));
  }
  CHECK(assignments_in(path).size() >= 3);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
    static_cast<void>(entry);
    ++files;
  }
  CHECK(files == 1);
}

TEST_CASE("another file in the database's place is left alone, and nothing is written until restart") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Observer observer;
  {
    Journal journal(Database(path, OpenMode::read_write), observer.callbacks());
    CHECK(is_written(journal, assignment("before")));
    std::ofstream(scratch.file("other")) << "other";
    std::filesystem::rename(scratch.file("other"), path);
    CHECK_FALSE(is_written(journal, assignment("after")));
    CHECK(observer.count("failing: another file") == 1);
    std::size_t rows = 0;
    journal.read([&](Database& database) {
      std::vector<std::string> skipped;
      rows = store::read_assignments(database, skipped).size();
    });
    CHECK(rows == 1);
  }
  std::string content;
  std::ifstream(path) >> content;
  CHECK(content == "other");
  CHECK(observer.count("recovered") == 0);
}

TEST_CASE("a file that is read-only at the start is written as soon as that is possible") {
  const Scratch mounted;
  const std::string at_path = " " + mounted.path() + " 2>/dev/null";
  if (std::system(("mount -t tmpfs none" + at_path).c_str()) != 0) {
    WARN("not tested: nothing may be mounted here");
    return;
  }
  {
    Database made(mounted.database(), OpenMode::read_write);
    store::write_assignment(made, assignment("before"));
  }
  REQUIRE(std::system(("mount -o remount,ro" + at_path).c_str()) == 0);
  {
    Observer observer;
    Journal journal(Database(mounted.database(), OpenMode::read_write), observer.callbacks());
    CHECK(comes_true([&] { return observer.count("failing") == 1; }));
    CHECK_FALSE(is_written(journal, assignment("r")));
    std::size_t rows = 0;
    journal.read([&](Database& database) {
      std::vector<std::string> skipped;
      rows = store::read_assignments(database, skipped).size();
    });
    CHECK(rows == 1);
    REQUIRE(std::system(("mount -o remount,rw" + at_path).c_str()) == 0);
    CHECK(comes_true([&] { return observer.count("recovered") == 1; }));
    CHECK(is_written(journal, assignment("r")));
    CHECK(observer.count("failing") == 1);
  }
  CHECK(std::system(("umount" + at_path).c_str()) == 0);
}

TEST_CASE("nothing is written without the owner lock, and writing goes on with it") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Observer observer;
  std::atomic<bool> owned{false};
  auto callbacks = observer.callbacks();
  callbacks.may_write = [&] { return owned.load(); };
  Journal journal(Database(path, OpenMode::read_write), callbacks);
  CHECK_FALSE(is_written(journal, assignment("first")));
  CHECK(thrown_by([&] { journal.run([](Database&) {}); }).names(path + ".lock"));
  owned = true;
  CHECK(comes_true([&] { return observer.count("recovered") == 1; }));
  CHECK(is_written(journal, assignment("second")));
  CHECK(observer.count("event") == 0);
  owned = false;
  CHECK(comes_true([&] { return observer.count("failing: the lock") == 2; }));
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  CHECK_FALSE(is_written(journal, assignment("third")));
  // Longer than the time after which it would be written anew.
  CHECK_FALSE(comes_true([&] { return std::filesystem::exists(path); }, 1500ms));
  owned = true;
  CHECK(comes_true([&] { return observer.count("recovered") == 2; }));
  CHECK(is_written(journal, assignment("fourth")));
  CHECK(journal.flush());
  CHECK(assignments_in(path).size() == 2);
}

TEST_CASE("a file that became writable is not written before the owner lock is held") {
  if (::geteuid() != 0) return;  // needs two users
  const Scratch scratch;
  const std::string path = scratch.database();
  Database(path, OpenMode::read_write);
  ::chmod(scratch.path().c_str(), 0755);
  ::chmod(path.c_str(), 0644);
  REQUIRE(::seteuid(65534) == 0);
  {
    Database database(path, OpenMode::read_write);
    REQUIRE(::seteuid(0) == 0);
    REQUIRE_FALSE(database.writable());
    Observer observer;
    std::atomic<bool> owned{false};
    auto callbacks = observer.callbacks();
    callbacks.may_write = [&] { return owned.load(); };
    Journal journal(std::move(database), callbacks);
    CHECK_FALSE(comes_true([&] { return observer.count("recovered") == 1; }, 1500ms));
    owned = true;
    CHECK(comes_true([&] { return observer.count("recovered") == 1; }));
  }
}

TEST_CASE("a row that is being written counts as waiting until it is in the file or refused") {
  const Scratch scratch;
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  Observer observer;
  std::atomic<bool> refused{false};
  Journal journal(Database(scratch.database(), OpenMode::read_write), observer.callbacks());
  REQUIRE(journal.flush());
  shell.exec("BEGIN IMMEDIATE");  // the writer has taken the batch, and waits for the lock
  journal.note(session("s", "r"));
  journal.write_assignment(assignment("r"), [&](bool committed) { refused = !committed; });
  CHECK(comes_true([&] {
    const auto queue = journal.queue();
    const bool is_settled = refused;  // looked at afterwards
    if (!is_settled && queue.claims != 1) FAIL("claims: " << queue.claims);
    if (queue.rows == 0) FAIL("no row waits, though none can be written");
    return is_settled;
  }));
  CHECK(comes_true([&] { return journal.queue().claims == 0; }));
  CHECK(journal.queue().rows == 1);
  shell.exec("ROLLBACK");
  CHECK(comes_true([&] { return journal.queue().rows == 0; }));
}

TEST_CASE("a journal with a deadline stops in time though another program holds the lock") {
  const Scratch scratch;
  Journal journal(Database(scratch.database(), OpenMode::read_write), {});
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE);
  shell.exec("BEGIN IMMEDIATE");
  journal.note(session("s", "r"));
  CHECK_FALSE(is_written(journal, assignment("refused")));
  std::vector<std::thread> others;  // requests that are still under way
  CHECK(tests::takes_less_than(3s, [&] {
    journal.set_deadline(std::chrono::steady_clock::now() + 300ms);
    for (int i = 0; i < 4; ++i) {
      others.emplace_back([&] { thrown_by([&] { journal.run([](Database&) {}); }); });
    }
    CHECK_FALSE(journal.flush());
    journal.stop();
  }));
  for (auto& other : others) other.join();
}

TEST_CASE("a journal with a deadline writes its batch if the lock becomes free in time") {
  const Scratch scratch;
  {
    Journal journal(Database(scratch.database(), OpenMode::read_write), {});
    SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE);
    shell.exec("BEGIN IMMEDIATE");
    CHECK_FALSE(is_written(journal, assignment("refused")));
    journal.note(session("s", "r"));
    journal.set_deadline(std::chrono::steady_clock::now() + 3s);
    shell.exec("ROLLBACK");
    CHECK(journal.flush());
  }
  CHECK(sessions_in(scratch.database()).size() == 1);
}

TEST_CASE("every caller gets false when the journal stops and nothing can be written") {
  const Scratch scratch;
  std::atomic<int> no{0};
  {
    Journal journal(Database(scratch.database(), OpenMode::read_write), {});
    SQLite::Database lock(scratch.database(), SQLite::OPEN_READWRITE);
    lock.exec("BEGIN IMMEDIATE");
    for (int i = 0; i < 10; ++i) {
      journal.write_assignment(assignment(std::to_string(i)), [&](bool committed) { no += committed ? 0 : 1; });
    }
    journal.stop();
    CHECK(no == 10);
    journal.write_assignment(assignment("late"), [&](bool committed) { no += committed ? 0 : 1; });
  }
  CHECK(no == 11);
}

TEST_CASE("a table that ignores new rows is reported, and no such row counts as written") {
  const char* refusals[] = {
      "CREATE TRIGGER t BEFORE INSERT ON room_server_assignments BEGIN SELECT RAISE(ABORT, 'no'); END",
      "CREATE TRIGGER t BEFORE INSERT ON room_server_assignments BEGIN SELECT RAISE(IGNORE); END",
      "CREATE TRIGGER t BEFORE INSERT ON room_server_assignments BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
      "CREATE TRIGGER t BEFORE INSERT ON room_server_assignments BEGIN SELECT RAISE(FAIL, 'no'); END",
      "CREATE UNIQUE INDEX t ON room_server_assignments (gateway_name)",
      "CREATE TRIGGER t AFTER INSERT ON room_server_assignments BEGIN DELETE FROM room_server_assignments WHERE "
      "room_id "
      "= new.room_id; END",
      "CREATE TRIGGER t AFTER INSERT ON room_server_assignments BEGIN UPDATE Room_Server_Assignments SET gateway_name "
      "= "
      "'other'; END",
      "CREATE TRIGGER t AFTER INSERT ON room_server_assignments BEGIN INSERT OR REPLACE INTO room_server_assignments "
      "VALUES (new.room_id, 'other', '', '', ''); END",
      "CREATE TRIGGER t AFTER UPDATE ON room_server_assignments BEGIN DELETE FROM room_server_assignments; END",
      "CREATE TABLE log (room); CREATE TRIGGER u AFTER INSERT ON log BEGIN DELETE FROM room_server_assignments; END; "
      "CREATE TRIGGER t AFTER INSERT ON room_server_assignments BEGIN INSERT INTO log VALUES (new.room_id); END",
      "CREATE VIEW v AS SELECT room_id FROM room_server_assignments; CREATE TRIGGER u INSTEAD OF DELETE ON v BEGIN "
      "DELETE FROM room_server_assignments WHERE room_id = old.room_id; END; CREATE TRIGGER t AFTER INSERT ON "
      "room_server_assignments BEGIN DELETE FROM v; END",
  };
  for (const std::string sql : refusals) {
    CAPTURE(sql);
    const Scratch scratch;
    Observer observer;
    Journal journal(Database(scratch.database(), OpenMode::read_write), observer.callbacks());
    CHECK(is_written(journal, assignment("before")));
    SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE, 5000);
    shell.exec(sql);
    CHECK_FALSE(is_written(journal, assignment("refused")));
    REQUIRE(comes_true([&] { return journal.refusal().has_value(); }));
    CHECK(journal.refusal()->find("table room_server_assignments takes no new rows") == 0);
    CHECK_FALSE(journal.failure());
    // Rows of other tables are written all the same, and say nothing of this one.
    journal.note(session("s", "before"));
    CHECK(journal.flush());
    CHECK(journal.refusal());
    CHECK(shell.execAndGet("SELECT count(*) FROM room_server_assignments").getInt() == 1);
    CHECK(shell.execAndGet("SELECT count(*) FROM sessions").getInt() == 1);
    shell.exec(sql.find("INDEX") == sql.npos ? "DROP TRIGGER t" : "DROP INDEX t");
    CHECK(comes_true([&] { return !journal.refusal(); }));
    CHECK(is_written(journal, assignment("after")));
  }
}

TEST_CASE("a trigger on another table removes no assignment, and one that writes elsewhere refuses nothing") {
  const Scratch scratch;
  Observer observer;
  Journal journal(Database(scratch.database(), OpenMode::read_write), observer.callbacks());
  CHECK(is_written(journal, assignment("before")));
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE, 5000);
  shell.exec(
      "CREATE TRIGGER t AFTER INSERT ON sessions BEGIN DELETE FROM room_server_assignments; END;"
      "CREATE TABLE log (room);"
      "CREATE TRIGGER u AFTER INSERT ON room_server_assignments BEGIN INSERT INTO log VALUES (new.room_id); END");
  journal.note(session("s", "before"));
  CHECK(is_written(journal, assignment("after")));
  CHECK(journal.flush());
  CHECK(journal.refusal().value_or("").find("table sessions takes no new rows") == 0);
  CHECK_FALSE(journal.failure());
  CHECK(shell.execAndGet("SELECT count(*) FROM room_server_assignments").getInt() == 2);
  CHECK(shell.execAndGet("SELECT count(*) FROM sessions").getInt() == 0);
  CHECK(shell.execAndGet("SELECT count(*) FROM log").getInt() == 1);
}

TEST_CASE("a table that accepts other rows is not reported") {
  const Scratch scratch;
  Observer observer;
  Journal journal(Database(scratch.database(), OpenMode::read_write), observer.callbacks());
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE, 5000);
  shell.exec(
      "CREATE TRIGGER t BEFORE INSERT ON room_server_assignments WHEN new.room_id = 'poison' BEGIN SELECT "
      "RAISE(IGNORE); "
      "END");
  CHECK_FALSE(is_written(journal, assignment("poison")));
  CHECK(comes_true([&] { return journal.refusal().has_value(); }));
  CHECK(is_written(journal, assignment("other")));
  CHECK_FALSE(journal.refusal());
}

TEST_CASE("every ignored row is an error, in every table") {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE, 5000);
  const std::pair<const char*, std::function<void()>> rows[] = {
      {"room_server_assignments", [&] { store::write_assignment(database, assignment("a")); }},
      {"sessions", [&] { store::write_session(database, session("s", "a")); }},
      {"failovers",
       [&] {
         store::write_failover(database, {"gxy1", std::nullopt});
       }},
      {"meta", [&] { store::write_meta(database, "mode", "scale"); }},
      {"gateways",
       [&] {
         store::GatewayRow row;
         row.gateway.id = domain::RowId{1};
         row.gateway.name = "gxy1";
         store::write_gateway(database, row);
       }},
      {"rooms",
       [&] {
         store::RoomRow row;
         row.room.id = domain::RowId{1};
         row.room.gateway_uid = "2171";
         store::write_room(database, row);
       }},
  };
  for (const auto& [table, write] : rows) {
    CAPTURE(table);
    for (const char* event : {"INSERT", "UPDATE"}) {
      shell.exec(std::string("CREATE TRIGGER t BEFORE ") + event + " ON " + table + " BEGIN SELECT RAISE(IGNORE); END");
      CHECK(thrown_by(write).kind == Failure::Kind::constraint);
      shell.exec("DROP TRIGGER t");
      write();
    }
  }
}

TEST_CASE("a reader that keeps the -wal from starting over is reported once, and so is its end") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Observer observer;
  Journal journal(Database(path, OpenMode::read_write), observer.callbacks());
  CHECK(is_written(journal, assignment("first")));
  int rows = 0;
  // Pages that are full by themselves.
  const auto write = [&](int count) {
    for (int i = 0; i < count; ++i) {
      domain::Session row = session(std::to_string(++rows), "room");
      row.reported_gateway = std::string(1000, 'x');
      journal.note(row);
    }
    REQUIRE(journal.flush());
  };
  {
    SQLite::Database reader(path, SQLite::OPEN_READONLY);
    reader.exec("BEGIN; SELECT count(*) FROM sessions");
    while (journal.log_size() <= (std::size_t{64} << 20)) write(8000);
    REQUIRE(comes_true([&] {
      write(1);
      return observer.count("event") > 0;
    }));
    CHECK(observer.count("event: the -wal of the database " + path + " is over 64 MiB") == 1);
  }
  REQUIRE(comes_true([&] {
    write(1);
    return journal.log_size() <= (std::size_t{8} << 20);
  }));
  CHECK(comes_true([&] { return observer.count("event: the -wal of the database " + path + " is small again") == 1; }));
  CHECK(observer.count("event") == 2);
}

TEST_CASE("a -wal grown by one large transaction is not reported") {
  const Scratch scratch;
  Observer observer;
  Journal journal(Database(scratch.database(), OpenMode::read_write), observer.callbacks());
  for (int i = 0; i < 70'000; ++i) {
    domain::Session row = session(std::to_string(i), "room");
    row.reported_gateway = std::string(1000, 'x');
    journal.note(row);
  }
  REQUIRE(journal.flush());
  CHECK(journal.log_size() > (std::size_t{64} << 20));
  int n = 0;
  REQUIRE(comes_true([&] {
    CHECK(is_written(journal, assignment(std::to_string(++n))));
    return journal.log_size() <= (std::size_t{8} << 20);
  }));
  CHECK(observer.count("event") == 0);
}
