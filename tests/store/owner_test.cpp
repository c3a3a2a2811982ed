#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "catch.h"
#include "store/as_file_owner.h"
#include "store/owner.h"
#include "store/scratch.h"

using store::Owner;
using store::OwnerNote;

TEST_CASE("a database has one owner, and a second one learns the first one's pid") {
  const Scratch scratch;
  const std::string path = scratch.database();
  CHECK_FALSE(store::is_owned(path));
  {
    Owner owner(path);
    CHECK(owner.keep());
    CHECK(store::is_owned(path));
    CHECK_FALSE(store::read_owner_note(path).has_value());
    const OwnerNote note{4711, "127.0.0.1:8082", 12};
    CHECK(owner.note({99999, "a much longer address than the next", 1}));
    CHECK(owner.note(note));
    CHECK(store::read_owner_note(path) == note);
    const auto thrown = thrown_by([&] { Owner second(path); });
    CHECK(thrown.kind == store::Failure::Kind::locked_by_other);
    CHECK(thrown.names("pid 4711"));
    CHECK(thrown.names("127.0.0.1:8082"));
  }
  CHECK_FALSE(store::is_owned(path));
  CHECK(std::filesystem::exists(path + ".lock"));
  CHECK_FALSE(std::filesystem::exists(path + ".running"));
  CHECK(Owner(path).keep());
}

TEST_CASE("a link to a database has the owner of the database") {
  const Scratch scratch;
  std::filesystem::create_directory(scratch.file("real"));
  std::ofstream(scratch.file("real/a.db")).close();
  std::filesystem::create_symlink(scratch.file("real/a.db"), scratch.database());
  const Owner owner(scratch.file("real/a.db"));
  CHECK(store::is_owned(scratch.database()));
}

TEST_CASE("the note of a killed owner does not count") {
  const Scratch scratch;
  const std::string path = scratch.database();
  const pid_t child = ::fork();
  if (child == 0) {
    auto* owner = new Owner(path);
    owner->note({::getpid(), "unix:/x", 1});
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(std::filesystem::file_size(path + ".running") > 0);
  CHECK_FALSE(store::read_owner_note(path).has_value());
  CHECK(Owner(path).keep());
}

TEST_CASE("a look at a file's owner does not prevent owning the file") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Owner{path};  // makes the file
  std::atomic<bool> done{false};
  std::thread asking([&] {
    while (!done) store::is_owned(path);
  });
  for (int i = 0; i < 100; ++i) REQUIRE_NOTHROW(Owner(path));
  done = true;
  asking.join();
}

TEST_CASE("a deleted lock file is made again by the next note") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Owner owner(path);
  std::filesystem::remove(path + ".lock");
  CHECK(owner.note({1, "a", 1}));
  CHECK(store::read_owner_note(path) == OwnerNote{1, "a", 1});
}

TEST_CASE("an owner whose lock file was deleted is the owner again when it looks") {
  const Scratch scratch;
  const std::string path = scratch.database();
  Owner owner(path);
  CHECK(owner.note({1, "a", 1}));
  CHECK(owner.keep());
  std::filesystem::remove(path + ".lock");
  CHECK_FALSE(store::is_owned(path));
  CHECK(owner.keep());
  CHECK(thrown_by([&] { Owner second(path); }).kind == store::Failure::Kind::locked_by_other);
  CHECK(store::read_owner_note(path) == OwnerNote{1, "a", 1});
  // If another process was quicker, it is not the owner until that one has gone.
  std::filesystem::remove(path + ".lock");
  {
    Owner quicker(path);
    CHECK(quicker.note({2, "b", 1}));
    CHECK_FALSE(owner.keep());
    CHECK_FALSE(owner.note({1, "a", 2}));
    CHECK(store::read_owner_note(path) == OwnerNote{2, "b", 1});
  }
  CHECK(owner.keep());
  CHECK(store::read_owner_note(path) == OwnerNote{1, "a", 2});
  std::filesystem::remove(path + ".running");
  CHECK(owner.keep());
  CHECK(store::read_owner_note(path) == OwnerNote{1, "a", 2});
}

TEST_CASE("an owner may be noted and renewed from several threads") {
  const Scratch scratch;
  Owner owner(scratch.database());
  std::atomic<bool> done{false};
  std::thread keeping([&] {
    while (!done) owner.keep();
  });
  for (std::uint64_t i = 1; i <= 200; ++i) {
    std::filesystem::remove(scratch.database() + ".lock");
    owner.note({1, "a", i});
  }
  done = true;
  keeping.join();
  CHECK(owner.keep());
  CHECK(store::read_owner_note(scratch.database()) == OwnerNote{1, "a", 200});
}

TEST_CASE("the owner lock is acquired as soon as its file can be created") {
  if (::geteuid() != 0) return;  // needs two users
  const Scratch scratch;
  const std::string path = scratch.database();
  ::chmod(scratch.path().c_str(), 0755);
  REQUIRE(::seteuid(65534) == 0);
  {
    Owner owner(path);
    CHECK_FALSE(owner.note({1, "a", 1}));
    CHECK_FALSE(owner.keep());
    REQUIRE(::seteuid(0) == 0);
    REQUIRE(::chown(scratch.path().c_str(), 65534, 65534) == 0);
    REQUIRE(::seteuid(65534) == 0);
    CHECK(owner.keep());
    CHECK(store::read_owner_note(path) == OwnerNote{1, "a", 1});
  }
  REQUIRE(::seteuid(0) == 0);
}

TEST_CASE("the owner lock is acquired in a read-only folder if its file exists") {
  if (::geteuid() != 0) return;  // needs two users
  const Scratch scratch;
  const std::string path = scratch.database();
  ::chmod(scratch.path().c_str(), 0755);
  REQUIRE(::seteuid(65534) == 0);
  CHECK_FALSE(Owner(path).keep());
  REQUIRE(::seteuid(0) == 0);
  Owner{path};  // makes the file
  REQUIRE(::chown((path + ".lock").c_str(), 65534, 65534) == 0);
  REQUIRE(::seteuid(65534) == 0);
  {
    Owner owner(path);
    CHECK(store::is_owned(path));
    CHECK(owner.keep());
    CHECK_FALSE(owner.note({1, "a", 1}));
  }
  REQUIRE(::seteuid(0) == 0);
}

TEST_CASE("root creates files beside a database as the database's owner") {
  if (::geteuid() != 0) return;
  const Scratch scratch;
  const std::string path = scratch.database();
  std::filesystem::create_directory(scratch.file("private"));
  ::chmod(scratch.file("private").c_str(), 0700);  // as /var/lib/private: root's alone
  const std::string inner = scratch.file("private/state");
  std::filesystem::create_directory(inner);
  ::chmod(inner.c_str(), 0755);
  REQUIRE(::chown(inner.c_str(), 12345, 12346) == 0);
  {
    const store::AsFileOwner owner(inner + "/a.db");
    CHECK(::geteuid() == 12345);
    CHECK(::getegid() == 12346);
    std::ofstream(store::reached(inner + "/a.db")) << "x";
  }
  CHECK(::geteuid() == 0);
  CHECK(::getegid() == 0);
  struct stat status = {};
  REQUIRE(::stat((inner + "/a.db").c_str(), &status) == 0);
  CHECK(status.st_uid == 12345);
  CHECK(status.st_gid == 12346);
}
