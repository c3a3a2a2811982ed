#include <sys/stat.h>
#include <unistd.h>

#include "catch.h"
#include "scratch.h"

TEST_CASE("check finds nothing wrong with a good configuration, with and without a database") {
  const Scratch scratch;
  scratch.configure("[[gateways]]\nname = \"gxy1\"\n");
  auto outcome = scratch.run({"check"});
  CHECK(outcome.out == "All is well.\n");
  CHECK(outcome.exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(scratch.database()));
  scratch.make_database();
  CHECK(scratch.run({"check"}).out == "All is well.\n");
}

TEST_CASE("check prints every problem of every kind, and exits 2 for errors") {
  const Scratch scratch;
  scratch.make_database();
  scratch.configure("http.token_file = \"" + scratch.file("no-token") + "\"\n" +
                    "unknwon = 1\n"
                    "balancing.max_server_capacity = \"abc\"\n"
                    "balancing.available_servers = [\"gxy1\", \"gxy77\"]\n"
                    "[[gateways]]\nname = \"gxy1\"\n");
  const auto outcome = scratch.run({"check"});
  CAPTURE(outcome.out);
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.out, "unknwon"));
  CHECK(contains(outcome.out, "abc"));
  CHECK(contains(outcome.out, "no-token"));
  CHECK(contains(outcome.out, "\"gxy77\""));
  CHECK(contains(outcome.out, "serve would refuse to start."));
}

TEST_CASE("check warns of each room without a valid default gateway, and exits 0") {
  const Scratch scratch;
  scratch.make_database();
  {
    store::Database database(scratch.database(), store::OpenMode::existing);
    for (const auto& [id, uid] : {std::pair{7, "seven"}, std::pair{8, "eight"}}) {
      store::RoomRow row;
      row.room.id = domain::RowId(id);
      row.room.gateway_uid = domain::RoomId(std::string(uid));
      row.room.default_gateway_id = id == 7 ? std::optional(domain::RowId{999}) : std::nullopt;
      store::write_room(database, row);
    }
  }
  const auto outcome = scratch.run({"check"});
  CAPTURE(outcome.out);
  CHECK(outcome.exit_code == 0);
  CHECK(contains(outcome.out, "warning: room \"seven\""));
  CHECK(contains(outcome.out, "999"));
  CHECK(contains(outcome.out, "warning: room \"eight\""));
  CHECK(contains(outcome.out, "0 errors, 2 warnings: serve would start."));
}

TEST_CASE("check reports a damaged database") {
  const Scratch scratch;
  scratch.write("rooms.db", "this is no database, but long enough to be looked at " + std::string(5000, 'x'));
  const auto outcome = scratch.run({"check"});
  CAPTURE(outcome.out);
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.out, scratch.database()));
}

TEST_CASE("check reports a database folder that is missing, is no folder, or cannot be written") {
  const Scratch scratch;
  const auto checked = [&](const std::string& database) {
    scratch.write("config.toml", "scale = true\ndatabase.path = \"" + database + "\"\n");
    return scratch.run({"check"});
  };
  scratch.write("file", "x");
  std::filesystem::create_symlink(scratch.file("none/rooms.db"), scratch.file("link.db"));
  for (const auto* folder : {"none", "file"}) {
    const auto outcome = checked(scratch.file(folder) + "/rooms.db");
    CAPTURE(outcome.out);
    CHECK(outcome.exit_code == 2);
    CHECK(contains(outcome.out, "error: config.toml:2: database.path: the database cannot be made"));
    CHECK(contains(outcome.out, "in the folder " + scratch.file(folder) + " ("));
  }
  CHECK(checked(scratch.file("link.db")).exit_code == 2);
  std::filesystem::create_directory(scratch.file("closed"));
  std::filesystem::permissions(scratch.file("closed"), std::filesystem::perms::owner_read);
  const bool is_root = ::geteuid() == 0;  // root may write there all the same
  CHECK(checked(scratch.file("closed/rooms.db")).exit_code == (is_root ? 0 : 2));
  CHECK_FALSE(std::filesystem::exists(scratch.file("none")));
}

TEST_CASE("an error about the token file names the place of its setting") {
  const Scratch scratch;
  scratch.configure("http.token_file = \"" + scratch.file("none") + "\"\n");
  CHECK(contains(scratch.run({"check"}).out, "error: config.toml:3: http.token_file: The token"));
  CHECK(contains(scratch.run({"status"}).err, "config.toml:3: http.token_file: The token"));
  scratch.write(".env", "API_TOKEN_FILE=" + scratch.file("other") + "\n");
  CHECK(contains(scratch.run({"check"}).out, "error: .env:1: API_TOKEN_FILE: The token"));
}

TEST_CASE("config shows each setting with its source") {
  const Scratch scratch;
  scratch.write(".env", "SCALE=true\n");
  auto outcome = scratch.run({"config"});
  CAPTURE(outcome.out);
  CHECK(outcome.exit_code == 0);
  CHECK(contains(outcome.out, "SETTING"));
  CHECK(contains(outcome.out, scratch.database()));
  CHECK(contains(outcome.out, "config.toml:1"));
  CHECK(contains(outcome.out, ".env:1"));
  CHECK(contains(outcome.out, "default"));
  outcome = scratch.run({"config", "--json"});
  CHECK(contains(outcome.out, R"({"key":"scale","variable":"SCALE","value":"true","origin":".env:1"})"));
  scratch.configure("unknwon = 1\n");
  outcome = scratch.run({"config"});
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.err, "unknwon"));
}

TEST_CASE("check names the unreadable files of [cluster], if there is an engine") {
  const Scratch scratch;
  const std::string endpoints = "cluster.endpoints = [\"http://127.0.0.1\"]\ncluster.user = \"u\"\n";
  const std::string password = "cluster.password_file = \"" + scratch.file("none") + "\"\n";
  scratch.configure(endpoints + password);
  CHECK(scratch.run({"check"}).out == "All is well.\n");
  scratch.configure(endpoints + password + "cluster.engine = \"etcd\"\n");
  const auto outcome = scratch.run({"check"});
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.out, "error: config.toml:5: cluster.password_file: the file"));
  scratch.write("none", "secret\n");
  ::chmod(scratch.file("none").c_str(), 0644);
  CHECK(contains(scratch.run({"check"}).out, "warning: config.toml:5: cluster.password_file: every user"));
  ::chmod(scratch.file("none").c_str(), 0600);
  CHECK(scratch.run({"check"}).out == "All is well.\n");
}
