// The service's user has put something into its own folder before a command of root's. The tests play that user, so
// they need root; without it they do nothing.
#include "store/planted.h"

#include "store/as_file_owner.h"
#include "store/backup.h"
#include "store/files.h"
#include "store/owner.h"

using namespace planted;
using store::Database;
using store::Failure;
using store::OpenMode;
using store::Owner;

TEST_CASE("root follows its own link to a database, and no other user's") {
  if (!is_root()) return;
  const Planted planted;
  const std::string path = planted.database();
  SECTION("by restore, to a file") { planted.put_link(path, planted.victim()); }
  SECTION("by restore, to one that is not there") { planted.put_link(path, planted.victim() + "2"); }
  SECTION("by restore, through a link of root's") {
    fs::create_symlink(planted.victim(), planted.victim() + ".link");
    planted.put_link(path, planted.victim() + ".link");
  }
  const Thrown thrown = thrown_by([&] { store::restore(planted.backup(), path); });
  CHECK(thrown.kind == Failure::Kind::unusable);
  CHECK(thrown.names("is a link that root does not own"));
  CHECK(thrown_by([&] { store::backup(path, planted.backup() + "2"); }).names("root does not own"));
  CHECK(thrown_by([&] { Database(path, OpenMode::existing); }).names("root does not own"));
  CHECK(thrown_by([&] { Database(path, OpenMode::read_only); }).names("root does not own"));
  CHECK(thrown_by([&] { store::AsFileOwner as_owner(path); }).names("root does not own"));
  CHECK_FALSE(fs::exists(planted.victim() + "2"));
  planted.check_victim();
}

TEST_CASE("root restores through its own link, as the owner of the target's folder") {
  if (!is_root()) return;
  const Planted planted;
  const std::string link = planted.victim() + ".link";
  fs::create_symlink(planted.database(), link);
  store::restore(planted.backup(), link);
  CHECK(fs::is_symlink(link));
  CHECK(owner_of(planted.database()) == service);
  CHECK(assignments_in(planted.database()).size() == 1);
}

TEST_CASE("restore follows no link beside the database") {
  if (!is_root()) return;
  const Planted planted;
  const std::string path = planted.database();
  for (const std::string suffix :
       {".lock", "-wal", "-shm", "-journal", ".before-restore", ".before-restore-wal", ".running"}) {
    CAPTURE(suffix);
    planted.put_link(path + suffix, planted.victim());
    const bool may_go_on = suffix == ".running" || suffix.find("before") != suffix.npos;
    const Thrown thrown = thrown_by([&] { store::restore(planted.backup(), path); });
    CHECK(thrown.failed != may_go_on);
    planted.check_victim();
    fs::remove(path + suffix);
    if (may_go_on) continue;
    planted.put_pipe(path + suffix);
    CHECK(thrown_by([&] { store::restore(planted.backup(), path); }).failed);
    fs::remove(path + suffix);
  }
  store::restore(planted.backup(), path);
  for (const char* suffix : {"", ".lock", ".before-restore"}) CHECK(owner_of(path + suffix) == service);
}

TEST_CASE("a file of root's in the service's folder is its owner's after a restore") {
  if (!is_root()) return;
  const Planted planted;
  const std::string path = planted.database();
  REQUIRE(::chown(path.c_str(), 0, 0) == 0);
  store::restore(planted.backup(), path);
  CHECK(owner_of(path) == service);
}

TEST_CASE("a backup replaces a link of its name, and not the link's target") {
  if (!is_root()) return;
  const Planted planted;
  const std::string target = planted.database() + ".backup";
  planted.put_link(target, planted.victim());
  store::backup(planted.database(), target);
  planted.check_victim();
  CHECK(fs::is_regular_file(fs::symlink_status(target)));
  CHECK(owner_of(target) == service);
  CHECK(mode_of(target) == 0600);
  CHECK(assignments_in(target).size() == 1);
}

TEST_CASE("pipes and links in place of the database's files delay no command of root's") {
  if (!is_root()) return;
  const Planted planted;
  const std::string path = planted.database();
  for (const std::string suffix : {"-wal", "-shm", "-journal", ""}) {
    for (const bool is_pipe : {true, false}) {
      CAPTURE(suffix, is_pipe);
      if (!is_pipe && suffix.empty()) continue;
      is_pipe ? planted.put_pipe(path + suffix) : planted.put_link(path + suffix, planted.victim());
      for (const auto mode : {OpenMode::read_write, OpenMode::existing, OpenMode::read_only}) {
        CHECK(thrown_by([&] { Database(path, mode); }).names("is no plain file"));
      }
      CHECK(thrown_by([&] { store::backup(path, planted.backup()); }).names("is no plain file"));
      fs::remove(path + suffix);
    }
  }
  planted.check_victim();
}

TEST_CASE("the note of the running sidecar is read from a plain file only") {
  if (!is_root()) return;
  const Planted planted;
  const std::string path = planted.database();
  planted.put_pipe(path + ".running");
  planted.put_pipe(path + ".lock");
  CHECK_FALSE(store::read_owner_note(path));
  CHECK_FALSE(store::is_owned(path));
  planted.put_link(path + ".running", planted.victim());
  planted.put_link(path + ".lock", planted.victim());
  CHECK_FALSE(store::read_owner_note(path));
  CHECK_FALSE(store::is_owned(path));
  {
    const Owner none(path);
    CHECK_FALSE(store::is_owned(path));
  }
  planted.check_victim();
}

TEST_CASE("other users cannot take the owner lock, and may read its owner") {
  if (!is_root()) return;
  const Planted planted;
  const std::string path = planted.database();
  std::ofstream(path + ".lock") << "of an older version";
  ::chmod((path + ".lock").c_str(), 0644);
  Owner owner(path);
  REQUIRE(owner.note({1, "127.0.0.1:8082", 1}));
  CHECK(mode_of(path + ".lock") == 0600);
  CHECK(mode_of(path + ".running") == 0644);
  as_service_user([&] {
    return ::open((path + ".lock").c_str(), O_RDONLY) < 0 && errno == EACCES && store::is_owned(path) &&
           store::read_owner_note(path)->address == "127.0.0.1:8082";
  });
}

TEST_CASE("a note that cannot be overwritten is replaced, whatever it is") {
  if (!is_root()) return;
  const Planted planted;
  const std::string path = planted.database();
  planted.put_link(path + ".running", planted.victim());
  Owner owner(path);
  CHECK(owner.note({1, "127.0.0.1:8082", 1}));
  CHECK(store::read_owner_note(path)->address == "127.0.0.1:8082");
  planted.put_pipe(path + ".running");
  CHECK(owner.keep());
  CHECK(store::read_owner_note(path)->address == "127.0.0.1:8082");
  planted.check_victim();
}

TEST_CASE("root acts as the folder's owner, with no other group") {
  if (!is_root()) return;
  const Planted planted;
  REQUIRE(::chown(planted.database().c_str(), 0, 0) == 0);
  {
    const store::AsFileOwner as_owner(planted.database());
    CHECK(::geteuid() == service);
    gid_t groups[8] = {};
    CHECK(::getgroups(8, groups) == 1);
    CHECK(groups[0] == service);
  }
  CHECK(::geteuid() == 0);
}
