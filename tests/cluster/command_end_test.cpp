// Commands that remove something, and those that put use marks.
#include "catch.h"
#include "commands.h"

using namespace std::chrono_literals;
using namespace cluster;
using cluster_test::Sidecar;
using cluster_test::Store;
using Kind = app::ClaimRequest::Kind;
using What = Conclusion::What;

namespace {

Conclusion release(Sidecar& sidecar, const std::string& room, bool force) {
  auto command = sidecar.command(Command::Kind::release, room);
  command.force = force;
  return sidecar.perform(command);
}

Tombstone::Why why_left(Store& store, const std::string& room) {
  const auto value = tombstone_from(store.text(store.keys.tombstone(room)));
  REQUIRE(value);
  return value->why;
}

}  // namespace

TEST_CASE("the last sidecar to give a room up ends it and leaves a tombstone") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  const auto ended = a.give_up("r");
  CHECK(ended.what == What::done);
  CHECK(ended.row->gateway_name == "gxy1");
  CHECK(store.gateway_of("r").empty());
  CHECK_FALSE(store.is_marked("r", "a"));
  CHECK(store.tombstone("r") == "gxy1");
  CHECK(why_left(store, "r") == Tombstone::Why::empty);
  CHECK(a.knows("r").empty());
  CHECK(a.replica.use_mark("r") == 0);
  REQUIRE(a.replica.tombstone("r"));
  CHECK(a.replica.tombstone("r")->modified == store.modified(store.keys.tombstone("r")));
}

TEST_CASE("a give-up removes only the own use mark while other sidecars use the room") {
  Store store;
  Sidecar a(store, "a"), b(store, GENERATE("b", "0", "a0", "a/"));
  REQUIRE(a.take("r", "gxy1").what == What::done);
  REQUIRE(b.use("r").what == What::done);
  b.follow();
  CHECK(a.give_up("r").what == What::not_so);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK_FALSE(store.is_marked("r", "a"));
  CHECK(store.is_marked("r", b.id()));
  CHECK(store.tombstone("r").empty());
  CHECK(a.replica.use_mark("r") == 0);
  CHECK(b.give_up("r").what == What::done);
  CHECK(store.gateway_of("r").empty());
}

TEST_CASE("a use mark on another room does not keep a room, even where the names begin alike") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  for (const std::string room : {"r", "r/", "r0", "r1", "ra"}) REQUIRE(a.take(room, "gxy1").what == What::done);
  b.follow();
  for (const std::string room : {"r/", "r0", "r1", "ra"}) REQUIRE(b.use(room).what == What::done);
  CHECK(a.give_up("r").what == What::done);
  for (const std::string room : {"r/", "r0", "r1", "ra"}) {
    INFO(room);
    CHECK(store.gateway_of(room) == "gxy1");
    CHECK(store.is_marked(room, "a"));
  }
}

TEST_CASE("a sidecar without a use mark cannot give a room up") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  b.follow();
  CHECK(b.give_up("r").what == What::not_so);
  CHECK(store.gateway_of("r") == "gxy1");
}

TEST_CASE("a late give-up takes nothing from a room that was taken into use again") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  auto late = a.command(Command::Kind::give_up, "r");
  REQUIRE(a.prepare(late).what == What::ask);
  SECTION("it had not come before: the use mark was put anew") { REQUIRE(a.use("r").what == What::done); }
  SECTION("it had: the room was taken up again") {
    cluster_test::send(store, late);
    a.follow();
    a.replica.drop_use_mark("r");
    REQUIRE(a.take("r", "gxy1").what == What::done);
  }
  SECTION("another sidecar uses it, too") {
    Sidecar b(store, "b");
    REQUIRE(b.use("r").what == What::done);
    REQUIRE(a.use("r").what == What::done);
  }
  cluster_test::send(store, late);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK(store.is_marked("r", "a"));
}

TEST_CASE("a give-up that finds a newer use mark is prepared anew") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  auto late = a.command(Command::Kind::give_up, "r");
  REQUIRE(a.prepare(late).what == What::ask);
  REQUIRE(a.use("r").what == What::done);
  CHECK(a.send(late).what == What::again);
  CHECK(a.replica.use_mark("r") == store.mark("r", "a"));
  CHECK(a.perform(late).what == What::done);
  CHECK(store.gateway_of("r").empty());
}

TEST_CASE("a give-up sent twice reports the room's end, also when the first answer was lost") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  auto command = a.command(Command::Kind::give_up, "r");
  REQUIRE(a.prepare(command).what == What::ask);
  cluster_test::send(store, command);  // its answer was lost
  CHECK(a.send(command).what == What::done);
  CHECK(a.replica.use_mark("r") == 0);
  CHECK(store.tombstone("r") == "gxy1");
}

TEST_CASE("the late answer to a give-up does not remove a newer followed row") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  auto command = a.command(Command::Kind::give_up, "r");
  REQUIRE(a.prepare(command).what == What::ask);
  const auto late = cluster_test::send(store, command);
  b.follow();
  REQUIRE(b.take("r", "gxy1").what == What::done);
  a.follow();
  CHECK(conclude(command, late.value.done[0].nested[0], late.header.revision, a.replica).what == What::done);
  CHECK(a.knows("r") == "gxy1");
  CHECK_FALSE(a.replica.tombstone("r"));
}

TEST_CASE("a give-up of a room that was moved meanwhile first learns its new gateway") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  b.follow();
  auto move = b.claim("r", "gxy2", Kind::moved, "gxy1");
  move.request.is_used_here = false;
  REQUIRE(b.perform(move).what == What::done);
  auto command = a.command(Command::Kind::give_up, "r");
  CHECK(a.perform(command).what == What::again);
  CHECK(a.knows("r") == "gxy2");
  CHECK(store.is_marked("r", "a"));
  CHECK(a.perform(command).what == What::done);
  CHECK(store.tombstone("r") == "gxy2");
}

TEST_CASE("a use mark that outlives its room can be given up") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  etcd::Transaction erase;
  erase.success.push_back({etcd::Operation::Kind::erase, store.keys.room("r")});
  REQUIRE(store.engine.transact(erase, etcd_test::patiently()).ok());
  auto command = a.command(Command::Kind::give_up, "r");
  CHECK(a.perform(command).what == What::again);
  CHECK(a.perform(command).what == What::not_so);
  CHECK_FALSE(store.is_marked("r", "a"));
  CHECK(store.tombstone("r").empty());
}

TEST_CASE("a use mark is put only on a room with an assignment") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  CHECK(b.use("r").what == What::not_so);
  CHECK_FALSE(store.is_marked("r", "b"));
  REQUIRE(a.take("r", "gxy1").what == What::done);
  CHECK(b.use("r").what == What::done);
  const auto mark = store.mark("r", "b");
  CHECK(mark != 0);
  CHECK(b.replica.use_mark("r") == mark);
  REQUIRE(a.give_up("r").what == What::not_so);
  b.follow();
  REQUIRE(b.give_up("r").what == What::done);
  b.replica.set_use_mark("r", mark);
  CHECK(b.use("r").what == What::not_so);
  CHECK(b.replica.use_mark("r") == 0);
}

TEST_CASE("an operator's release of a room with users at other sidecars needs force") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  b.follow();
  REQUIRE(b.use("r", domain::Use::live).what == What::done);
  CHECK(release(a, "r", false).what == What::not_so);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK(store.is_marked("r", "a"));
  CHECK(release(a, "r", true).what == What::done);
  CHECK(store.gateway_of("r").empty());
  CHECK_FALSE(store.is_marked("r", "a"));
  CHECK_FALSE(store.is_marked("r", "b"));
  CHECK(why_left(store, "r") == Tombstone::Why::forced);
  CHECK(a.knows("r").empty());
  CHECK(a.replica.use_mark("r") == 0);
}

TEST_CASE("a use mark without users does not prevent a release") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  REQUIRE(b.use("r", domain::Use::kept).what == What::done);
  auto command = a.command(Command::Kind::release, "r");
  REQUIRE(a.perform(command).what == What::resend);
  REQUIRE(a.prepare(command).what == What::ask);
  REQUIRE(a.send(command).what == What::resend);
  REQUIRE(a.prepare(command).what == What::ask);
  SECTION("nothing has changed") {
    CHECK(a.send(command).what == What::done);
    CHECK(store.gateway_of("r").empty());
    CHECK_FALSE(store.is_marked("r", "b"));
    CHECK(why_left(store, "r") == Tombstone::Why::released);
  }
  SECTION("somebody has come in") {
    REQUIRE(b.use("r", domain::Use::live).what == What::done);
    CHECK(a.send(command).what == What::not_so);
    CHECK(store.gateway_of("r") == "gxy1");
  }
  SECTION("the use mark is put anew") {
    REQUIRE(b.use("r", domain::Use::kept).what == What::done);
    CHECK(a.send(command).what == What::resend);
  }
}

TEST_CASE("an empty use mark counts as a room with users") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  etcd::Transaction put;
  put.success.push_back({etcd::Operation::Kind::put, store.keys.use("r", "older")});
  REQUIRE(store.engine.transact(put, etcd_test::patiently()).ok());
  CHECK(release(a, "r", false).what == What::not_so);
}

TEST_CASE("the own use mark does not prevent a release, and a released room may go to any gateway") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  REQUIRE(a.take("r0", "gxy1").what == What::done);
  CHECK(release(a, "r", false).what == What::done);
  CHECK(store.gateway_of("r").empty());
  CHECK_FALSE(store.is_marked("r", "a"));
  CHECK(store.is_marked("r0", "a"));
  CHECK(why_left(store, "r") == Tombstone::Why::released);
  CHECK(release(a, "r", false).what == What::done);  // no transaction is needed any more
  b.follow();
  CHECK(b.take("r", "gxy2").what == What::done);
}

TEST_CASE("a release learns a change that it did not know, and is sent anew") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  b.follow();
  SECTION("the room was moved") {
    REQUIRE(a.perform(a.claim("r", "gxy2", Kind::moved, "gxy1")).what == What::done);
    CHECK(release(b, "r", true).what == What::again);
    CHECK(b.knows("r") == "gxy2");
    CHECK(release(b, "r", true).what == What::done);
    CHECK(store.tombstone("r") == "gxy2");
  }
  SECTION("it has ended") {
    REQUIRE(a.give_up("r").what == What::done);
    CHECK(release(b, "r", true).what == What::done);
    CHECK(b.knows("r").empty());
    CHECK(why_left(store, "r") == Tombstone::Why::empty);
  }
}

TEST_CASE("a departed sidecar's use mark is removed, and its room as well if no other sidecar uses it") {
  Store store;
  Sidecar gone(store, "gone"), a(store, "a");
  REQUIRE(gone.take("r", "gxy1").what == What::done);
  REQUIRE(gone.take("q", "gxy2").what == What::done);
  REQUIRE(a.use("q").what == What::done);
  a.follow();
  const auto reap = [&](const std::string& room) {
    auto command = a.command(Command::Kind::reap, room);
    command.sidecar = "gone";
    command.use_mark = gone.replica.use_mark(room);
    return command;
  };
  CHECK(a.perform(reap("r")).what == What::done);
  CHECK(store.gateway_of("r").empty());
  CHECK_FALSE(store.is_marked("r", "gone"));
  CHECK(store.tombstone("r") == "gxy1");
  CHECK(a.perform(reap("q")).what == What::not_so);
  CHECK(store.gateway_of("q") == "gxy2");
  CHECK_FALSE(store.is_marked("q", "gone"));
  CHECK(store.is_marked("q", "a"));
  CHECK(a.replica.use_mark("q") > 0);
  CHECK(a.perform(reap("q")).what == What::not_so);  // once more, by another sidecar
  CHECK(store.is_marked("q", "a"));
}

TEST_CASE("a sidecar that is back keeps its newer use marks") {
  Store store;
  Sidecar back(store, "back"), a(store, "a");
  REQUIRE(back.take("r", "gxy1").what == What::done);
  a.follow();
  auto command = a.command(Command::Kind::reap, "r");
  command.sidecar = "back";
  command.use_mark = back.replica.use_mark("r");
  REQUIRE(back.use("r").what == What::done);
  CHECK(a.perform(command).what == What::not_so);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK(store.is_marked("r", "back"));
}
