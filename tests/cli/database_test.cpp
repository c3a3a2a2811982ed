// The commands that work on the database file, on real files.
#include <sys/stat.h>

#include "catch.h"
#include "scratch.h"
#include "store/owner.h"
#include "store/statement.h"

namespace {

const std::string kHeader = "gateway_uid,name,default_gateway\n";

}  // namespace

TEST_CASE("an import adds and updates rooms, also beside a running sidecar") {
  const Scratch scratch;
  scratch.make_database();
  const store::Owner running(scratch.database());
  const store::Database its(scratch.database(), store::OpenMode::read_write);
  const auto file = scratch.write("rooms.csv", kHeader + "2171,,gxy2\n2172,\"Evening, late\",gxy1\n");
  const auto outcome = scratch.run({"rooms", "import", file});
  CHECK(outcome.err.empty());
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out == "Rooms: 1 added, 1 updated, 0 unchanged.\n");
  const auto rooms = scratch.rooms();
  REQUIRE(rooms.size() == 2);
  CHECK(rooms[0].room.name == "Morning");
  CHECK(rooms[0].room.default_gateway_id == domain::RowId{2});
  CHECK(rooms[1].room.id == domain::RowId{2172});
  CHECK(rooms[1].room.name == "Evening, late");
}

TEST_CASE("an import reads standard input, and makes gateways if asked to") {
  const Scratch scratch;
  scratch.make_database();
  const std::string list = R"([{"gateway_uid":"a","default_gateway":"gxy9"}])";
  auto outcome = scratch.run({"rooms", "import", "-"}, list);
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.err,
                 "error: standard input: line 1 (element 1): there is no gateway "
                 "\"gxy9\""));
  outcome = scratch.run({"rooms", "import", "-", "--create-gateways"}, list);
  CHECK(outcome.exit_code == 0);
  CHECK(contains(outcome.out, "Gateway gxy9 is new."));
  CHECK(scratch.gateways().size() == 3);
}

TEST_CASE("nothing is imported if anything is wrong, and each problem is reported") {
  const Scratch scratch;
  scratch.make_database();
  const auto file = scratch.write("rooms.csv", kHeader + "1,a,gxy1\n2,b,gxy7\n3,c,gxy8\n");
  auto outcome = scratch.run({"rooms", "import", file});
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.err, "line 3: there is no gateway \"gxy7\""));
  CHECK(contains(outcome.err, "line 4: there is no gateway \"gxy8\""));
  CHECK(contains(outcome.err, "2 problems in " + file + "; nothing was imported"));
  CHECK(scratch.rooms().size() == 1);

  outcome = scratch.run({"rooms", "import", scratch.write("bad.csv", "name\n")});
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.err, "line 1: the header has no column \"gateway_uid\""));
}

TEST_CASE("unreadable entries and contradictions with the database are reported together, line by line") {
  const Scratch scratch;
  scratch.make_database();
  const std::string list = "id,gateway_uid,default_gateway\n,1,gxy7\nx,2,gxy1\n2171,3,gxy1\n,4\n";
  auto outcome = scratch.run({"rooms", "import", "-"}, list);
  CHECK(outcome.exit_code == 2);
  const auto at = [&](const std::string& part) { return outcome.err.find(part); };
  CHECK(at("line 2: there is no gateway \"gxy7\"") < at("line 3: id: \"x\""));
  CHECK(at("line 3: id: \"x\"") < at("line 4: room \"3\" cannot have id 2171"));
  CHECK(at("line 4: room \"3\" cannot have id 2171") < at("line 5: 2 fields"));
  CHECK(contains(outcome.err, "4 problems in standard input; nothing was imported"));
  CHECK(scratch.rooms().size() == 1);
  std::filesystem::remove(scratch.database());
  outcome = scratch.run({"rooms", "import", "-"}, list);
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.err, "2 problems in standard input"));
  CHECK_FALSE(std::filesystem::exists(scratch.database()));
}

TEST_CASE("rooms without a default gateway are imported with a warning") {
  const Scratch scratch;
  scratch.make_database();
  const auto outcome = scratch.run({"rooms", "import", "-"}, kHeader + "3002,B,\n2171,,\n");
  CHECK(outcome.exit_code == 0);
  CHECK(contains(outcome.err, "warning: standard input: line 2: no default_gateway; a new room"));
  CHECK(contains(outcome.err, "warning: standard input: line 3: no default_gateway; a known room"));
  CHECK(outcome.out == "Rooms: 1 added, 0 updated, 1 unchanged.\n");
  REQUIRE(scratch.rooms().size() == 2);
  CHECK(scratch.rooms()[0].room.default_gateway_id == domain::RowId{1});
  CHECK_FALSE(scratch.rooms()[1].room.default_gateway_id);
}

TEST_CASE("an import makes no database, and says when its list cannot be read") {
  const Scratch scratch;
  auto outcome = scratch.run({"rooms", "import", "-"}, kHeader);
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "there is no database at " + scratch.database()));
  CHECK_FALSE(std::filesystem::exists(scratch.database()));
  scratch.make_database();
  CHECK(scratch.run({"rooms", "import", scratch.file("none.csv")}).exit_code == 2);
  CHECK(scratch.run({"rooms", "import", scratch.file("")}).exit_code != 0);  // a folder
}

TEST_CASE("commands leave the database alone if the configuration has errors: it may name another one") {
  const Scratch scratch;
  scratch.make_database();
  scratch.configure("unknwon = 1\n");
  const auto outcome = scratch.run({"rooms", "import", "-"}, kHeader + "1,a,gxy1\n");
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.err, "unknwon"));
  CHECK(scratch.rooms().size() == 1);
}

TEST_CASE("an import waits for another program's lock, and gives up in the end") {
  const Scratch scratch;
  scratch.make_database();
  store::Database other(scratch.database(), store::OpenMode::existing);
  Outcome outcome;
  other.transaction([&] { outcome = scratch.run({"rooms", "import", "-"}, kHeader + "1,a,gxy1\n"); });
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, scratch.database()));
  CHECK(scratch.run({"rooms", "import", "-"}, kHeader + "1,a,gxy1\n").exit_code == 0);
}

TEST_CASE("rooms list shows the rooms of the file") {
  const Scratch scratch;
  scratch.make_database();
  REQUIRE(scratch.run({"rooms", "import", "-"}, kHeader + "10,\"Ev\x1b[1m\",gxy2\n").exit_code == 2);
  REQUIRE(scratch.run({"rooms", "import", "-"}, kHeader + "10,Evening,gxy2\n").exit_code == 0);
  CHECK(scratch.run({"rooms", "list"}).out ==
        "  ID  ROOM  NAME     DEFAULT GATEWAY  STATE\n"
        "  10  10    Evening  gxy2             open\n"
        "2171  2171  Morning  gxy1             open\n");
  CHECK(scratch.run({"rooms", "list", "--json"}).out ==
        R"({"rooms":[{"id":10,"gateway_uid":"10","name":"Evening","default_gateway":"gxy2",)"
        R"("default_gateway_id":2,"disabled":false},{"id":2171,"gateway_uid":"2171",)"
        R"("name":"Morning","default_gateway":"gxy1","default_gateway_id":1,"disabled":false}]})"
        "\n");
  std::filesystem::remove(scratch.database());
  CHECK(scratch.run({"rooms", "list"}).exit_code == 1);
}

TEST_CASE("rooms set gives one room another default gateway") {
  const Scratch scratch;
  scratch.make_database();
  auto outcome = scratch.run({"rooms", "set", "2171", "--default-gateway", "gxy2"});
  CHECK(outcome.err.empty());
  CHECK(outcome.exit_code == 0);
  CHECK(scratch.rooms()[0].room.default_gateway_id == domain::RowId{2});
  outcome = scratch.run({"rooms", "set", "2171", "--default-gateway", "gxy22"});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "there is no gateway \"gxy22\" (did you mean \"gxy2\"?)"));
  outcome = scratch.run({"rooms", "set", "2170", "--default-gateway", "gxy1"});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "there is no room \"2170\""));
  CHECK(scratch.rooms()[0].room.default_gateway_id == domain::RowId{2});
}

TEST_CASE("a backup can be restored, but not while a sidecar runs") {
  const Scratch scratch;
  scratch.make_database();
  REQUIRE(scratch.run({"backup", scratch.file("copy")}).exit_code == 0);
  REQUIRE(scratch.run({"rooms", "set", "2171", "--default-gateway", "gxy2"}).exit_code == 0);
  {
    store::Owner running(scratch.database());
    REQUIRE(running.note({4711, "127.0.0.1:9", 1}));
    const auto refused = scratch.run({"restore", scratch.file("copy")});
    CHECK(refused.exit_code == 1);
    CHECK(contains(refused.err, "4711"));
  }
  CHECK(scratch.rooms()[0].room.default_gateway_id == domain::RowId{2});
  const auto outcome = scratch.run({"restore", scratch.file("copy")});
  CHECK(outcome.err.empty());
  CHECK(outcome.exit_code == 0);
  CHECK(contains(outcome.out, scratch.database() + ".before-restore"));
  CHECK(scratch.rooms()[0].room.default_gateway_id == domain::RowId{1});
  CHECK(scratch.run({"restore", scratch.file("none")}).exit_code == 1);
}

TEST_CASE("commands run as root leave the files with the owner of the database") {
  if (::geteuid() != 0) return;
  const Scratch scratch;
  scratch.make_database();
  std::filesystem::permissions(scratch.file(""), std::filesystem::perms::all);
  for (const auto* end : {"", "-wal", "-shm"}) {
    (void)!::chown((scratch.database() + end).c_str(), 65534, 65534);
  }
  const auto list = scratch.write("list.csv", kHeader + "1,a,gxy1\n");
  ::chmod(list.c_str(), 0600);  // root's alone
  CHECK(scratch.run({"rooms", "import", list}).exit_code == 0);
  for (const auto& entry : std::filesystem::directory_iterator(scratch.file(""))) {
    if (!contains(entry.path().string(), "rooms.db")) continue;
    struct stat status = {};
    REQUIRE(::stat(entry.path().c_str(), &status) == 0);
    CAPTURE(entry.path().string());
    CHECK(status.st_uid == 65534);
  }
  CHECK(::geteuid() == 0);
}

TEST_CASE("a backup of an altered database is made, with a warning that restore would refuse it") {
  const Scratch scratch;
  scratch.make_database();
  {
    store::Database made(scratch.database(), store::OpenMode::read_write);
    store::Statement(made, "CREATE TRIGGER t AFTER INSERT ON rooms BEGIN SELECT 1; END").step();
  }
  const auto outcome = scratch.run({"backup", scratch.file("copy")});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.out, "The copy is in " + scratch.file("copy")));
  CHECK(contains(outcome.err, "restore would refuse this copy"));
  CHECK(contains(outcome.err, "table rooms has the trigger t"));
  const auto refused = scratch.run({"restore", scratch.file("copy")});
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "table rooms has the trigger t"));
}

TEST_CASE("a switch of mode writes through no link of another user's at `.env`") {
  if (::geteuid() != 0) return;
  const Scratch scratch;
  const auto other = scratch.write("other", "SECRET=1\n");
  std::filesystem::create_symlink(other, scratch.file(".env"));
  REQUIRE(::lchown(scratch.file(".env").c_str(), 65534, 65534) == 0);
  const auto outcome = scratch.run({"scale", "on"});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "is a link that root does not own"));
  CHECK(std::filesystem::is_symlink(scratch.file(".env")));
  REQUIRE(::lchown(scratch.file(".env").c_str(), 0, 0) == 0);
  CHECK(contains(scratch.run({"scale", "on"}).out, "now says SCALE=true"));
  CHECK(std::filesystem::is_symlink(scratch.file(".env")));
}
