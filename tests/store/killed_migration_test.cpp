// A migration that is killed leaves the older file or the newer one.
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "catch.h"
#include "store/migrations.h"
#include "store/scratch.h"

using store::Database;
using store::Migration;
using store::OpenMode;

namespace {

// Each of the two takes its time.
const Migration steps[] = {
    {1,
     "CREATE TABLE a (x INTEGER) STRICT;"
     "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000)"
     " INSERT INTO a SELECT x FROM n"},
    {2,
     "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x * 2;"
     "CREATE TABLE b (z TEXT); INSERT INTO b SELECT hex(x) FROM a"},
};
constexpr std::span<const Migration> both(steps);
constexpr std::span<const Migration> first = both.subspan(0, 1);

std::string ask(const std::string& path, const std::string& sql) {
  SQLite::Database shell(path, SQLite::OPEN_READWRITE);
  return shell.execAndGet(sql).getString();
}

// The time that it took.
std::chrono::microseconds migrate_and_kill(const std::string& path, std::span<const Migration> to,
                                           std::chrono::microseconds after) {
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    Database(path, OpenMode::read_write, to);
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() - begin >= after) ::kill(child, SIGKILL);
    std::this_thread::sleep_for(std::chrono::microseconds{50});
  }
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
}

std::vector<std::string> files_in(const Scratch& scratch) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("a migration killed at any instant can be repeated") {
  constexpr int kills = 8;
  for (const auto from : {both.subspan(0, 0), first}) {
    const auto make = [&](const Scratch& scratch) {
      if (!from.empty()) const Database database(scratch.database(), OpenMode::read_write, from);
    };
    const Scratch whole;
    make(whole);
    const auto whole_time = migrate_and_kill(whole.database(), both, std::chrono::minutes{1});
    for (int i = 0; i < kills; ++i) {
      const Scratch scratch;
      make(scratch);
      const std::string path = scratch.database();
      migrate_and_kill(path, both, whole_time * i / kills);
      migrate_and_kill(path, both, whole_time * (kills - i) / kills);
      CAPTURE(i, whole_time.count(), from.size());
      if (std::filesystem::exists(path) && !from.empty()) {
        const std::string version = ask(path, "PRAGMA user_version");
        CHECK((version == "1" || version == "2"));
        CHECK(ask(path, "SELECT count(*) FROM a") == "20000");
      }
      Database(path, OpenMode::read_write, both);
      CHECK(ask(path, "PRAGMA integrity_check") == "ok");
      CHECK(ask(path, "SELECT count(*) FROM a WHERE y = x * 2") == "20000");
      CHECK(ask(path, "SELECT count(*) FROM b") == "20000");
      if (from.empty()) {
        CHECK(files_in(scratch) == std::vector<std::string>{"room-sidecar.db"});
      } else {
        CHECK(files_in(scratch) == std::vector<std::string>{"room-sidecar.db", "room-sidecar.db.v1"});
        CHECK(ask(path + ".v1", "PRAGMA user_version") == "1");
        CHECK(ask(path + ".v1", "SELECT count(*) FROM a") == "20000");
      }
    }
  }
}
