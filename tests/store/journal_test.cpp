#include "store/journal.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <set>

#include "catch.h"
#include "store/meta_table.h"
#include "store/scratch.h"

using store::Database;
using store::Journal;
using store::OpenMode;

namespace {

using namespace std::chrono_literals;

// Counts the journal's reports.
struct Reported {
  std::atomic<int> foreign{0};
  std::atomic<int> failing{0};
  std::atomic<int> recovered{0};
  std::atomic<int> events{0};
  std::atomic<int> yes{0};
  std::atomic<int> no{0};

  Journal::Callbacks callbacks() {
    Journal::Callbacks all;
    all.foreign_commit = [this] { ++foreign; };
    all.failing = [this](const std::string&) { ++failing; };
    all.recovered = [this] { ++recovered; };
    all.event = [this](const std::string&) { ++events; };
    return all;
  }
  Journal::Settled settled() {
    return [this](bool committed) { ++(committed ? yes : no); };
  }
};

}  // namespace

TEST_CASE("a row settled as written is in the file at that moment") {
  const Scratch scratch;
  Reported reported;
  Journal journal(Database(scratch.database(), OpenMode::read_write), reported.callbacks());
  SQLite::Database reader(scratch.database(), SQLite::OPEN_READONLY);
  for (int i = 0; i < 50; ++i) {
    std::atomic<int> seen{-1};
    journal.write_assignment(assignment(std::to_string(i)), [&](bool) {
      seen = reader.execAndGet("SELECT count(*) FROM room_server_assignments").getInt();
    });
    REQUIRE(comes_true([&] { return seen != -1; }));
    CHECK(seen == i + 1);
  }
}

TEST_CASE("simultaneous writes share commits, and each is settled once") {
  const Scratch scratch;
  Reported reported;
  constexpr int threads = 8;
  constexpr int each = 200;
  {
    Journal journal(Database(scratch.database(), OpenMode::read_write), reported.callbacks());
    std::vector<std::thread> askers;
    for (int t = 0; t < threads; ++t) {
      askers.emplace_back([&, t] {
        for (int i = 0; i < each; ++i) {
          journal.write_assignment(assignment(std::to_string(t * each + i)), reported.settled());
          journal.note(session("s" + std::to_string(t), "r"));
        }
      });
    }
    for (auto& asker : askers) asker.join();
    CHECK(journal.flush());
    CHECK(reported.yes == threads * each);
    CHECK(reported.no == 0);
    SQLite::Database reader(scratch.database(), SQLite::OPEN_READONLY);
    CHECK(reader.execAndGet("SELECT count(*) FROM room_server_assignments").getInt() == threads * each);
    CHECK(reader.execAndGet("SELECT count(*) FROM sessions").getInt() == threads);
  }
  CHECK(reported.failing == 0);
  CHECK_FALSE(std::filesystem::exists(scratch.database() + "-wal"));
}

TEST_CASE("notes are in the file within about a second, in few commits") {
  const Scratch scratch;
  Reported reported;
  Journal journal(Database(scratch.database(), OpenMode::read_write), reported.callbacks());
  SQLite::Database reader(scratch.database(), SQLite::OPEN_READONLY);
  const auto version = [&] { return reader.execAndGet("PRAGMA data_version").getInt(); };
  int commits = 0;
  int last = version();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; std::chrono::steady_clock::now() - start < 1500ms; ++i) {
    journal.note(session(std::to_string(i % 10), "r"));
    journal.note(assignment("r" + std::to_string(i % 10)));
    journal.note_last_used("r1", at(i));
    std::this_thread::sleep_for(1ms);
    if (version() != last) ++commits;
    last = version();
  }
  CHECK(commits >= 1);
  CHECK(commits <= 3);
  journal.note(domain::SessionGone{"3"});
  journal.note(domain::AssignmentGone{"r3"});
  CHECK(comes_true([&] { return reader.execAndGet("SELECT count(*) FROM sessions").getInt() == 9; }));
  CHECK(reader.execAndGet("SELECT count(*) FROM room_server_assignments").getInt() == 9);
}

TEST_CASE("an urgent row is committed together with earlier notes") {
  const Scratch scratch;
  Reported reported;
  Journal journal(Database(scratch.database(), OpenMode::read_write), reported.callbacks());
  for (int i = 0; i < 20; ++i) {
    std::atomic<bool> done{false};
    journal.note(session("s" + std::to_string(i), "r"));
    journal.write_assignment(assignment("r"), [&](bool) { done = true; });
    REQUIRE(comes_true([&] { return done.load(); }));
    CHECK(sessions_in(scratch.database()).size() == static_cast<std::size_t>(i + 1));
  }
}

TEST_CASE("a command runs after earlier notes, as one transaction") {
  const Scratch scratch;
  Reported reported;
  Journal journal(Database(scratch.database(), OpenMode::read_write), reported.callbacks());
  journal.note(session("s", "r"));
  std::size_t sessions = 0;
  journal.run([&](Database& database) {
    std::vector<std::string> skipped;
    sessions = store::read_sessions(database, skipped).size();
    store::write_meta(database, "mode", "scale");
  });
  CHECK(sessions == 1);

  struct Refused {};
  CHECK_THROWS_AS(journal.run([&](Database& database) {
    store::write_meta(database, "mode", "legacy");
    throw Refused{};
  }),
                  Refused);
  std::string mode;
  journal.read([&](Database& database) { mode = store::read_meta(database, "mode").value_or(""); });
  CHECK(mode == "scale");
  CHECK(reported.failing == 0);
}

TEST_CASE("a caller may hold the lock that its Settled takes") {
  const Scratch scratch;
  Reported reported;
  Journal journal(Database(scratch.database(), OpenMode::read_write), reported.callbacks());
  std::mutex ledger;
  std::atomic<int> settled{0};
  std::vector<std::thread> askers;
  for (int t = 0; t < 4; ++t) {
    askers.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const std::lock_guard lock(ledger);
        journal.write_assignment(assignment(std::to_string(t)), [&](bool) {
          const std::lock_guard again(ledger);
          journal.note_last_used("1", at(1));
          ++settled;
        });
      }
    });
  }
  for (auto& asker : askers) asker.join();
  CHECK(comes_true([&] { return settled == 400; }));
}

TEST_CASE("an operator's commit is reported once, and the journal's own never") {
  const Scratch scratch;
  Reported reported;
  Journal journal(Database(scratch.database(), OpenMode::read_write), reported.callbacks());
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE, 1000);
  for (int i = 1; i <= 3; ++i) {
    shell.exec("INSERT INTO rooms (gateway_uid) VALUES ('" + std::to_string(i) + "')");
    CHECK(comes_true([&] { return reported.foreign == i; }));
    journal.write_assignment(assignment("r"), reported.settled());
    journal.flush();
  }
  const auto heartbeats = journal.heartbeats();
  CHECK(comes_true([&] { return journal.heartbeats() >= heartbeats + 4; }));
  CHECK(reported.foreign == 3);
}

TEST_CASE("the callback for a foreign commit may read and run commands") {
  const Scratch scratch;
  std::atomic<int> seen{0};
  Journal* self = nullptr;
  Journal::Callbacks callbacks;
  callbacks.foreign_commit = [&] {
    self->read([&](Database& database) { seen += store::read_meta(database, "a") == "b" ? 1 : 0; });
    self->run([&](Database& database) { store::write_meta(database, "c", "d"); });
  };
  Journal journal(Database(scratch.database(), OpenMode::read_write), callbacks);
  self = &journal;
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE, 1000);
  shell.exec("INSERT INTO meta VALUES ('a', 'b')");
  CHECK(comes_true([&] { return seen == 1; }));
}

TEST_CASE("the -wal starts over under load, and checkpoints are not reported as foreign commits") {
  const Scratch scratch;
  Reported reported;
  Journal journal(Database(scratch.database(), OpenMode::read_write), reported.callbacks());
  std::uintmax_t largest = 0;
  int batch = 0;
  std::set<std::uintmax_t> sizes;
  for (int i = 0; i < 6000; ++i) {
    journal.write_assignment(assignment(std::string(100, 'x') + std::to_string(i * 7919 % 60000)), reported.settled());
    if (i % 8 == 7) journal.flush();
    if (i % 500 == 499) largest = std::max(largest, std::filesystem::file_size(scratch.database() + "-wal"));
    ++batch;
  }
  CHECK(reported.yes == batch);
  CHECK(largest > 4'000'000);
  CHECK(largest < 12'000'000);
  CHECK(reported.foreign == 0);
}

TEST_CASE("a stop writes all notes and settles every caller") {
  const Scratch scratch;
  Reported reported;
  Journal journal(Database(scratch.database(), OpenMode::read_write), reported.callbacks());
  for (int i = 0; i < 100; ++i) journal.write_assignment(assignment(std::to_string(i)), reported.settled());
  journal.note(session("s", "1"));
  journal.stop();
  journal.stop();
  CHECK(reported.yes == 100);
  CHECK_FALSE(std::filesystem::exists(scratch.database() + "-wal"));
  CHECK(assignments_in(scratch.database()).size() == 100);
  CHECK(sessions_in(scratch.database()).size() == 1);
  CHECK_FALSE(journal.flush());
  CHECK(thrown_by([&] { journal.run([](Database&) {}); }).kind == store::Failure::Kind::unusable);
  CHECK_FALSE(journal.failure().has_value());
}

TEST_CASE("a row that the schema refuses keeps no other row out of the file") {
  const Scratch scratch;
  Reported reported;
  Journal journal(Database(scratch.database(), OpenMode::read_write), reported.callbacks());
  SQLite::Database shell(scratch.database(), SQLite::OPEN_READWRITE, 1000);
  shell.exec(
      "CREATE TRIGGER poison BEFORE INSERT ON room_server_assignments WHEN new.room_id = 'bad' "
      "BEGIN SELECT RAISE(ABORT, 'not this one'); END");
  journal.note(session("s", "good"));
  journal.write_assignment(assignment("bad"), reported.settled());
  journal.write_assignment(assignment("good"), reported.settled());
  CHECK(comes_true([&] { return reported.yes + reported.no == 2; }));
  CHECK(reported.yes == 1);
  CHECK(reported.no == 1);
  CHECK(reported.events == 1);
  CHECK(reported.failing == 0);
  CHECK(journal.flush());
  CHECK(shell.execAndGet("SELECT count(*) FROM sessions").getInt() == 1);
}
