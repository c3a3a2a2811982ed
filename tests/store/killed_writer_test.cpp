// Invariant 2: an answered assignment is in the file after kill -9 at any instant.
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "catch.h"
#include "store/journal.h"
#include "store/scratch.h"

using store::Database;
using store::Journal;
using store::OpenMode;

namespace {

// Writes rooms without end and says each settled one's number on the pipe, as an answer would.
[[noreturn]] void write_for_ever(const std::string& path, int pipe) {
  Journal journal(Database(path, OpenMode::read_write), {});
  for (int i = 0;; ++i) {
    journal.write_assignment(assignment(std::to_string(i)), [i, pipe](bool committed) {
      if (committed && ::write(pipe, &i, sizeof i) < 0) ::_exit(1);
    });
    if (i % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

}  // namespace

TEST_CASE("settled rows are in the file after a kill -9") {
  const Scratch scratch;
  const std::string path = scratch.database();
  for (const int after_ms : {30, 75, 140, 400}) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) write_for_ever(path, ends[1]);
    ::close(ends[1]);
    std::set<std::string> answered;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{after_ms};
    int number = 0;
    while (answered.empty() || std::chrono::steady_clock::now() < until) {
      if (::read(ends[0], &number, sizeof number) == sizeof number) answered.insert(std::to_string(number));
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    while (::read(ends[0], &number, sizeof number) == sizeof number) answered.insert(std::to_string(number));
    ::close(ends[0]);

    std::set<std::string> kept;
    for (const auto& row : assignments_in(path)) kept.insert(row.room_id.text());
    std::size_t lost = 0;
    for (const auto& room : answered) lost += kept.count(room) == 0 ? 1 : 0;
    CAPTURE(after_ms, answered.size(), kept.size());
    CHECK(answered.size() > 0);
    CHECK(lost == 0);
    std::filesystem::remove(path);
    std::filesystem::remove(path + "-wal");
    std::filesystem::remove(path + "-shm");
  }
}
