// Refusals of the commands between file and etcd before any change. tests/e2e/fleet_join_test.py has the rest.
#include "canned_server.h"
#include "catch.h"
#include "scratch.h"
#include "store/meta_table.h"
#include "store/owner.h"

namespace {

// Where nobody listens.
const std::string one_member = "[cluster]\nendpoints = [\"http://127.0.0.1:1\"]\n";

void identify(const Scratch& scratch) {
  store::Database database(scratch.database(), store::OpenMode::read_write);
  store::write_meta(database, "sidecar_id", "0123456789abcdef");
}

}  // namespace

TEST_CASE("cluster join and leave need etcd's endpoints") {
  const Scratch scratch;
  scratch.make_database();
  const auto word = GENERATE("join", "leave");
  const auto outcome = scratch.run({"cluster", word});
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.err, "cluster.endpoints is missing"));
}

TEST_CASE("cluster join and leave create neither a database nor a sidecar's identity") {
  const Scratch scratch;
  scratch.configure(one_member);
  const auto word = GENERATE("join", "leave");
  auto outcome = scratch.run({"cluster", word});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "there is no database"));
  scratch.make_database();
  outcome = scratch.run({"cluster", word});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "has no identity yet"));
  CHECK(contains(outcome.err, "start this version once"));
  store::Database database(scratch.database(), store::OpenMode::read_only);
  CHECK_FALSE(store::read_meta(database, "sidecar_id"));
}

TEST_CASE("cluster join and leave report an unreachable etcd in one sentence") {
  const Scratch scratch;
  scratch.configure(one_member + "timeout = \"500ms\"\nattempt_timeout = \"200ms\"\n");
  scratch.make_database();
  identify(scratch);
  const auto words =
      GENERATE(std::vector<std::string>{"cluster", "join"}, std::vector<std::string>{"cluster", "join", "--dry-run"},
               std::vector<std::string>{"cluster", "leave"});
  const auto outcome = scratch.run(words);
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "error: etcd cannot be reached"));
  CHECK(outcome.out.empty());
}

TEST_CASE("cluster leave is refused while the configuration or the running sidecar still shares") {
  const Scratch scratch;
  scratch.make_database();
  identify(scratch);
  SECTION("the configuration") {
    scratch.configure(one_member + "engine = \"etcd\"\n");
    const auto outcome = scratch.run({"cluster", "leave"});
    CHECK(outcome.exit_code == 1);
    CHECK(contains(outcome.err, "set engine = \"none\" in [cluster] and reload it first"));
  }
  SECTION("the running sidecar") {
    scratch.configure(one_member);
    CannedServer server({{"GET /v2/cluster", {200, R"({"engine":"etcd","state":"live"})"}}});
    const auto outcome = scratch.run({"cluster", "leave", "--server", server.address()});
    CHECK(outcome.exit_code == 1);
    CHECK(contains(outcome.err, "set engine = \"none\" in [cluster] and reload it first"));
  }
}

TEST_CASE("cluster leave asks no sidecar of another database") {
  const Scratch scratch;
  scratch.make_database();
  identify(scratch);
  scratch.configure(one_member + "timeout = \"500ms\"\nattempt_timeout = \"200ms\"\n");
  CannedServer server({{"GET /v2/settings", {200, R"({"database":{"path":"/other.db","real_path":"/other.db"}})"}},
                       {"GET /v2/cluster", {200, R"({"engine":"none"})"}}});
  store::Owner owner(scratch.database());
  REQUIRE(owner.note({1, server.address(), 1}));
  const auto outcome = scratch.run({"cluster", "leave"});
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.err, "serves the database /other.db, but this configuration names " + scratch.database()));
}
