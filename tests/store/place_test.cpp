// The service's user changes its own folder during a command of root's, after root's check. The tests play that user,
// so they need root; without it they do nothing.
#include "store/place.h"

#include <sqlite3.h>
#include <sys/file.h>

#include <atomic>
#include <thread>

#include "store/as_file_owner.h"
#include "store/connection.h"
#include "store/files.h"
#include "store/owner.h"
#include "store/planted.h"
#include "store/read_connection.h"

using namespace planted;
using store::AsFileOwner;
using store::AtFolderOf;
using store::Database;
using store::OpenMode;

namespace {

// Also within an AsFileOwner, in which the process has that user's rights.
void replace_by_link(const std::string& at, const std::string& to) {
  ::unlink(at.c_str());
  REQUIRE(::symlink(to.c_str(), at.c_str()) == 0);
}

void replace_by_pipe(const std::string& at) {
  ::unlink(at.c_str());
  REQUIRE(::mkfifo(at.c_str(), 0666) == 0);
}

std::string effective_capabilities() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("CapEff:", 0) == 0) return line.substr(line.find_first_not_of(" \t", 7));
  }
  return "";
}

// A database of root's, with another room.
std::string roots_database(const Planted& planted) {
  std::string path = planted.victim() + ".db";
  {
    Database made(path, OpenMode::read_write);
    store::write_assignment(made, assignment("secret"));
  }
  ::chmod(path.c_str(), 0600);
  return path;
}

std::string only_room_in(const std::string& database) {
  const auto rows = assignments_in(database);
  REQUIRE(rows.size() == 1);
  return rows.front().room_id.text();
}

}  // namespace

TEST_CASE("root has none of its rights while it acts as a folder's owner") {
  if (!is_root()) return;
  const Planted planted;
  const std::string before = effective_capabilities();
  {
    const AsFileOwner as_owner(planted.database());
    CHECK(effective_capabilities() == "0000000000000000");
    CHECK(::open(planted.victim().c_str(), O_RDONLY) < 0);
    CHECK(errno == EACCES);
  }
  CHECK(effective_capabilities() == before);
  CHECK(std::ifstream(planted.victim()).is_open());
}

TEST_CASE("a file put in the database's place during root's command is not opened") {
  if (!is_root()) return;
  const Planted planted;
  const std::string path = planted.database();
  const std::string others = roots_database(planted);
  ::chmod(others.c_str(), 0644);  // a readable target is not followed either
  for (const std::string suffix : {"", "-wal", "-shm", "-journal"}) {
    for (const bool is_pipe : {true, false}) {
      CAPTURE(suffix, is_pipe);
      {
        const AsFileOwner as_owner(path);
        const std::string kept = path + suffix + ".kept";
        const bool is_there = ::rename((path + suffix).c_str(), kept.c_str()) == 0;
        is_pipe ? replace_by_pipe(path + suffix) : replace_by_link(path + suffix, others);
        const auto opened_for = [&](int flags) {
          store::Connection connection(path, path, flags);
          // Begins a journal, or a log with its index.
          connection.transaction([&] { connection.execute("CREATE TABLE IF NOT EXISTS t (a)"); });
        };
        CHECK(thrown_by([&] { opened_for(SQLITE_OPEN_READWRITE); }).failed);
        if (suffix.empty()) {
          CHECK(thrown_by([&] { store::open_for_reading(path, true).connection->integer("SELECT 1"); }).failed);
          CHECK(thrown_by([&] { store::copy_plain_file(path, path + ".copy"); }).failed);
        }
        ::unlink((path + suffix).c_str());
        if (is_there) REQUIRE(::rename(kept.c_str(), (path + suffix).c_str()) == 0);
      }
    }
  }
  CHECK(only_room_in(others) == "secret");
}

TEST_CASE("a backup in the service's folder is read as that folder's owner") {
  if (!is_root()) return;
  const Planted planted;
  const std::string path = planted.database();
  const std::string copy = path + ".v1";
  const std::string others = roots_database(planted);
  SECTION("which may lie there") {
    store::backup(path, copy);
    CHECK(owner_of(copy) == service);
    store::restore(copy, path);
  }
  SECTION("no link is followed") {
    planted.put_link(copy, others);
    CHECK(thrown_by([&] { store::restore(copy, path); }).names("is a link that root does not own"));
  }
  SECTION("nor one that takes its place later") {
    const AsFileOwner as_owner(copy, AsFileOwner::InRootsFolder::root);
    replace_by_link(copy, others);
    CHECK(thrown_by([&] { store::open_for_reading(copy); }).failed);
  }
  SECTION("what only root may read is not read there") {
    fs::copy_file(others, copy);
    ::chmod(copy.c_str(), 0600);
    CHECK(thrown_by([&] { store::restore(copy, path); }).names("copy it into a folder of root's"));
  }
  SECTION("through no folder that a link stands for") {
    planted.put_link(path + ".d", fs::path(others).parent_path());
    const auto name = fs::path(others).filename().string();
    CHECK(thrown_by([&] { store::restore(path + ".d/" + name, path); }).names("but that user does not own "));
  }
  CHECK(only_room_in(path) == "a");
}

TEST_CASE("root follows a link to a folder only into what the link's owner owns") {
  if (!is_root()) return;
  const Planted planted;
  const std::string state = fs::path(planted.database()).parent_path();
  const std::string roots = fs::path(planted.victim()).parent_path() / "roots";
  fs::create_directory(roots);
  ::chmod(roots.c_str(), 0700);
  const std::string link = state + "/data";
  const std::string path = link + "/room-sidecar.db";
  const auto refuse_all = [&](const std::string& words) {
    CHECK(thrown_by([&] { store::restore(planted.backup(), path); }).names(words));
    CHECK(thrown_by([&] { store::backup(path, planted.backup() + "2"); }).names(words));
    CHECK(thrown_by([&] { Database(path, OpenMode::read_only); }).names(words));
    CHECK(thrown_by([&] { AsFileOwner as_owner(path); }).names(words));
    CHECK(thrown_by([&] { store::is_owned(path); }).names(words));
    CHECK(fs::is_empty(roots));
  };
  SECTION("not by an absolute one") {
    planted.put_link(link, roots);
    refuse_all(link + " is a link of user 12345's to " + roots + ", but that user does not own /, so root");
    // Nor does a backup into it.
    CHECK(thrown_by([&] {
            store::backup(planted.database(), link + "/b.db");
          }).names("is a link that root does not own"));
    CHECK(fs::is_empty(roots));
  }
  SECTION("not by a relative one") {
    planted.put_link(link, "../roots");
    refuse_all("but that user does not own ");
  }
  SECTION("not back out of the folder that it leads to") {
    planted.put_link(link, ".");
    CHECK(thrown_by([&] { AsFileOwner as_owner(link + "/../roots/x.db"); }).names("does not own"));
  }
  SECTION("not by one of root's that the service may have moved there") {
    fs::create_symlink(roots, link);
    refuse_all("is a link of user 0's in what user 12345 owns");
  }
  SECTION("not by many") {
    planted.put_link(link, "data");
    CHECK(thrown_by([&] { AsFileOwner as_owner(path); }).failed);
  }
  SECTION("into the service's own folder") {
    as_service_user([&] { return ::mkdir((state + "/own").c_str(), 0755) == 0; });
    planted.put_link(link, "own");
    store::restore(planted.backup(), path);
    CHECK(owner_of(state + "/own/room-sidecar.db") == service);
  }
  SECTION("by one of root's in a folder of root's") {
    const std::string by_root = planted.victim() + ".d";
    fs::create_symlink(state, by_root);
    store::restore(planted.backup(), by_root + "/room-sidecar.db");
    CHECK(owner_of(planted.database()) == service);
  }
}

TEST_CASE("root does not act in a folder that is exchanged during its command") {
  if (!is_root()) return;
  const Planted planted;
  const std::string state = fs::path(planted.database()).parent_path();
  const std::string roots = fs::path(planted.victim()).parent_path() / "roots";
  fs::create_directory(roots);
  const std::string path = state + "/data/room-sidecar.db";
  as_service_user([&] { return ::mkdir((state + "/data").c_str(), 0755) == 0; });
  {
    const AtFolderOf at(path);  // still with the rights of root
    REQUIRE(::rename((state + "/data").c_str(), (state + "/before").c_str()) == 0);
    REQUIRE(::symlink(roots.c_str(), (state + "/data").c_str()) == 0);
    store::UnfinishedFile(path, std::string_view("x"), 0600).rename_to_final();
    store::write_new_file(path + "-new", {'x'}, 0600);
    CHECK(store::exists(path));
    CHECK(store::id_of(path) == store::id_of("room-sidecar.db"));
    store::rename_file(path, path + "-old");
    store::Owner owner(path);
    CHECK(owner.note({1, "a", 1}));
    store::sync_folder_of(path);
  }
  CHECK(fs::is_empty(roots));
  for (const char* name : {"-new", "-old", ".lock"}) CHECK(fs::exists(state + "/before/room-sidecar.db" + name));
}

TEST_CASE("commands work behind a folder that only root may enter") {
  if (!is_root()) return;
  const Planted planted;
  const std::string closed = fs::path(planted.victim()).parent_path() / "closed";
  fs::create_directory(closed);
  ::chmod(closed.c_str(), 0700);
  const std::string path = closed + "/state/room-sidecar.db";
  fs::rename(fs::path(planted.database()).parent_path(), closed + "/state");
  const auto here = fs::current_path();
  {
    const AsFileOwner as_owner(path);
    CHECK_FALSE(fs::exists(planted.victim() + "/x"));
    Database database(path, OpenMode::existing);
    store::write_assignment(database, assignment("b"));
    CHECK(store::is_owned(path) == false);
  }
  CHECK(fs::current_path() == here);
  store::backup(path, path + ".copy");
  store::backup(path, planted.backup());
  store::restore(path + ".copy", path);
  store::restore(planted.backup(), path);
  {
    const AsFileOwner as_owner(path);
    Database database(path, OpenMode::read_only);
    CHECK(database.path() == path);
  }
  for (const auto& entry : fs::directory_iterator(closed + "/state")) CHECK(owner_of(entry.path()) == service);
}

TEST_CASE("a copy in a third user's folder belongs to root, and only root may read it") {
  if (!is_root()) return;
  const Planted planted;
  const std::string folder = fs::path(planted.victim()).parent_path() / "third";
  fs::create_directory(folder);
  REQUIRE(::chown(folder.c_str(), service + 1, service + 1) == 0);
  store::backup(planted.database(), folder + "/b.db");
  CHECK(owner_of(folder + "/b.db") == 0);
  CHECK(mode_of(folder + "/b.db") == 0600);
}

TEST_CASE("a new file takes no setuid bit from its model, and takes nothing from a link") {
  if (!is_root()) return;
  const Planted planted;
  const std::string model = planted.database() + ".model";
  const std::string made = planted.database() + ".made";
  store::UnfinishedFile anew(made, secret, 0600);
  planted.put_link(model, planted.victim());
  CHECK_THROWS_AS(anew.look_like(model), store::Failure);
  std::filesystem::remove(model);
  std::ofstream(model) << "a program";
  REQUIRE(::chmod(model.c_str(), 06755) == 0);
  anew.look_like(model);
  anew.rename_to_final();
  struct stat status = {};
  REQUIRE(::stat(made.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0755);
}

TEST_CASE("an ordinary user backs up from any current folder, and into a folder of any group") {
  if (!is_root()) return;
  const Planted planted;
  const std::string folder = std::filesystem::path(planted.database()).parent_path();
  REQUIRE(::chown(folder.c_str(), service, 0) == 0);
  const auto closed = std::filesystem::path(planted.victim()).parent_path() / "closed";
  std::filesystem::create_directory(closed);
  REQUIRE(::chmod(closed.c_str(), 0700) == 0);
  as_service_user([&] {
    store::backup(planted.database(), folder + "/copy");
    return true;
  });
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(closed);
  as_service_user([&] {
    store::backup(planted.database(), folder + "/copy");
    return true;
  });
  std::filesystem::current_path(before);
}

TEST_CASE("a database may have a name with a special meaning to SQLite") {
  const Scratch scratch;
  const std::string path = scratch.file(":memory:");
  {
    const AsFileOwner as_owner(path);
    Database database(path, OpenMode::read_write);
    store::write_assignment(database, assignment("a"));
  }
  CHECK(fs::file_size(path) > 0);
  CHECK(only_room_in(path) == "a");
}

TEST_CASE("a wait for a file that stays locked ends after a second") {
  const Scratch scratch;
  const std::string path = scratch.file("a");
  const std::string unfinished = path + ".unfinished-" + std::to_string(::getpid());
  std::atomic<bool> is_locked = false;
  std::atomic<bool> is_over = false;
  std::thread other([&] {
    while (!is_over && !is_locked) {
      const files::Descriptor file(::open(unfinished.c_str(), O_RDONLY | O_CLOEXEC));
      struct stat status = {};
      is_locked = file.get() >= 0 && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(file.get(), &status) == 0 &&
                  status.st_nlink > 0;
      while (is_locked && !is_over) std::this_thread::yield();
    }
  });
  bool is_refused = false;
  for (int n = 0; n < 2000 && !is_refused; ++n) {
    is_refused = thrown_by([&] { store::UnfinishedFile(path, std::string_view("x"), 0600); }).failed;
  }
  is_over = true;
  other.join();
  if (!is_refused) WARN("the other program was never quick enough");
  CHECK_FALSE(fs::exists(unfinished));
}
