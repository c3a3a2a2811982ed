// Commands that remove something, and those that put use marks.
#include "catch.h"
#include "commands.h"

using namespace std::chrono_literals;
using namespace cluster;
using cluster_test::anew;
using cluster_test::Sidecar;
using cluster_test::Store;
using Kind = app::ClaimRequest::Kind;
using enum app::ClaimOutcome;
using enum app::Claims::Released;

namespace {

Tombstone::Why why_left(Store& store, const domain::RoomId& room) {
  const auto value = tombstone_from(store.text(store.keys.tombstone(room)));
  REQUIRE(value);
  return value->why;
}

}  // namespace

TEST_CASE("the last sidecar to give a room up ends it and leaves a tombstone") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1") == won);
  CHECK(a.give_up("r") == done);
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
  REQUIRE(a.take("r", "gxy1") == won);
  REQUIRE(b.use("r") == true);
  b.follow();
  CHECK(a.give_up("r") == in_use);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK_FALSE(store.is_marked("r", "a"));
  CHECK(store.is_marked("r", b.id()));
  CHECK(store.tombstone("r").empty());
  CHECK(a.replica.use_mark("r") == 0);
  CHECK(b.give_up("r") == done);
  CHECK(store.gateway_of("r").empty());
}

TEST_CASE("a use mark on another room does not keep a room, even where the names begin alike") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  const std::vector<domain::RoomId> alike{"r/", "r0", "r1", "ra"};
  REQUIRE(a.take("r", "gxy1") == won);
  for (const auto& room : alike) REQUIRE(a.take(room, "gxy1") == won);
  b.follow();
  for (const auto& room : alike) REQUIRE(b.use(room) == true);
  CHECK(a.give_up("r") == done);
  for (const auto& room : alike) {
    INFO(room);
    CHECK(store.gateway_of(room) == "gxy1");
    CHECK(store.is_marked(room, "a"));
  }
}

TEST_CASE("a sidecar without a use mark cannot give a room up") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  b.follow();
  CHECK(b.give_up("r") == in_use);
  CHECK(store.gateway_of("r") == "gxy1");
}

TEST_CASE("a late give-up takes nothing from a room that was taken into use again") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1") == won);
  auto late = a.made(GiveUp("r"));
  REQUIRE_FALSE(a.prepare(late));
  SECTION("it had not come before: the mark was put anew") { REQUIRE(a.use("r") == true); }
  SECTION("it had: the room was taken up again") {
    cluster_test::send(store, late);
    a.follow();
    a.replica.drop_use_mark("r");
    REQUIRE(a.take("r", "gxy1") == won);
  }
  SECTION("another sidecar uses it, too") {
    Sidecar b(store, "b");
    REQUIRE(b.use("r") == true);
    REQUIRE(a.use("r") == true);
  }
  cluster_test::send(store, late);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK(store.is_marked("r", "a"));
}

TEST_CASE("a give-up that finds a newer use mark is prepared anew") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1") == won);
  auto late = a.made(GiveUp("r"));
  REQUIRE_FALSE(a.prepare(late));
  REQUIRE(a.use("r") == true);
  CHECK(a.send(late) == anew);
  CHECK(a.replica.use_mark("r") == store.mark("r", "a"));
  CHECK(a.perform(late) == done);
  CHECK(store.gateway_of("r").empty());
}

TEST_CASE("a give-up sent twice reports the room's end, also when the first answer was lost") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1") == won);
  auto command = a.made(GiveUp("r"));
  REQUIRE_FALSE(a.prepare(command));
  cluster_test::send(store, command);  // its answer was lost
  CHECK(a.send(command) == done);
  CHECK(a.replica.use_mark("r") == 0);
  CHECK(store.tombstone("r") == "gxy1");
}

TEST_CASE("the late answer to a give-up does not remove a newer followed row") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  auto command = a.made(GiveUp("r"));
  REQUIRE_FALSE(a.prepare(command));
  const auto late = cluster_test::send(store, command);
  b.follow();
  REQUIRE(b.take("r", "gxy1") == won);
  a.follow();
  CHECK(a.conclude(command, late) == done);
  CHECK(a.knows("r") == "gxy1");
  CHECK_FALSE(a.replica.tombstone("r"));
}

TEST_CASE("a give-up of a room that was moved meanwhile first learns its new gateway") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  b.follow();
  auto move = b.claim("r", "gxy2", Kind::moved, "gxy1");
  move.request.is_used_here = false;
  REQUIRE(b.perform(move) == won);
  auto command = a.made(GiveUp("r"));
  CHECK(a.perform(command) == anew);
  CHECK(a.knows("r") == "gxy2");
  CHECK(store.is_marked("r", "a"));
  CHECK(a.perform(command) == done);
  CHECK(store.tombstone("r") == "gxy2");
}

TEST_CASE("a use mark that outlives its room can be given up") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1") == won);
  etcd::Transaction erase;
  erase.success.push_back({etcd::Operation::Kind::erase, store.keys.room("r")});
  REQUIRE(store.client.transact(erase, etcd_test::patiently()).ok());
  auto command = a.made(GiveUp("r"));
  CHECK(a.perform(command) == anew);
  CHECK(a.perform(command) == in_use);
  CHECK_FALSE(store.is_marked("r", "a"));
  CHECK(store.tombstone("r").empty());
}

TEST_CASE("a use mark is put only on a room with an assignment") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  CHECK(b.use("r") == false);
  CHECK_FALSE(store.is_marked("r", "b"));
  REQUIRE(a.take("r", "gxy1") == won);
  CHECK(b.use("r") == true);
  const auto mark = store.mark("r", "b");
  CHECK(mark != 0);
  CHECK(b.replica.use_mark("r") == mark);
  REQUIRE(a.give_up("r") == in_use);
  b.follow();
  REQUIRE(b.give_up("r") == done);
  b.replica.set_use_mark("r", mark);
  CHECK(b.use("r") == false);
  CHECK(b.replica.use_mark("r") == 0);
}

TEST_CASE("an operator's release of a room with users at other sidecars needs force") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  b.follow();
  REQUIRE(b.use("r", domain::Use::live) == true);
  CHECK(a.release("r", false) == in_use);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK(store.is_marked("r", "a"));
  CHECK(a.release("r", true) == done);
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
  REQUIRE(a.take("r", "gxy1") == won);
  REQUIRE(b.use("r", domain::Use::kept) == true);
  auto command = a.made(Release("r", false));
  REQUIRE(a.perform(command) == anew);
  REQUIRE_FALSE(a.prepare(command));
  REQUIRE(a.send(command) == anew);
  REQUIRE_FALSE(a.prepare(command));
  SECTION("nothing has changed") {
    CHECK(a.send(command) == done);
    CHECK(store.gateway_of("r").empty());
    CHECK_FALSE(store.is_marked("r", "b"));
    CHECK(why_left(store, "r") == Tombstone::Why::released);
  }
  SECTION("somebody has come in") {
    REQUIRE(b.use("r", domain::Use::live) == true);
    CHECK(a.send(command) == in_use);
    CHECK(store.gateway_of("r") == "gxy1");
  }
  SECTION("it is marked anew") {
    REQUIRE(b.use("r", domain::Use::kept) == true);
    CHECK(a.send(command) == anew);
  }
}

TEST_CASE("an empty use mark counts as a room with users") {
  Store store;
  Sidecar a(store, "a");
  REQUIRE(a.take("r", "gxy1") == won);
  etcd::Transaction put;
  put.success.push_back({etcd::Operation::Kind::put, store.keys.use("r", "older")});
  REQUIRE(store.client.transact(put, etcd_test::patiently()).ok());
  CHECK(a.release("r", false) == in_use);
}

TEST_CASE("the own use mark does not prevent a release, and a released room may go to any gateway") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  REQUIRE(a.take("r0", "gxy1") == won);
  CHECK(a.release("r", false) == done);
  CHECK(store.gateway_of("r").empty());
  CHECK_FALSE(store.is_marked("r", "a"));
  CHECK(store.is_marked("r0", "a"));
  CHECK(why_left(store, "r") == Tombstone::Why::released);
  CHECK(a.release("r", false) == done);  // nobody is asked any more
  b.follow();
  CHECK(b.take("r", "gxy2") == won);
}

TEST_CASE("a release learns a change that it did not know, and is sent anew") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  b.follow();
  SECTION("the room was moved") {
    REQUIRE(a.perform(a.claim("r", "gxy2", Kind::moved, "gxy1")) == won);
    CHECK(b.release("r", true) == anew);
    CHECK(b.knows("r") == "gxy2");
    CHECK(b.release("r", true) == done);
    CHECK(store.tombstone("r") == "gxy2");
  }
  SECTION("it has ended") {
    REQUIRE(a.give_up("r") == done);
    CHECK(b.release("r", true) == done);
    CHECK(b.knows("r").empty());
    CHECK(why_left(store, "r") == Tombstone::Why::empty);
  }
}

TEST_CASE("a departed sidecar's use mark is removed, and its room as well if no other sidecar uses it") {
  Store store;
  Sidecar gone(store, "gone"), a(store, "a");
  REQUIRE(gone.take("r", "gxy1") == won);
  REQUIRE(gone.take("q", "gxy2") == won);
  REQUIRE(a.use("q") == true);
  a.follow();
  const auto reap = [&](const domain::RoomId& room) { return a.made(Reap(room, "gone", gone.replica.use_mark(room))); };
  CHECK(a.perform(reap("r")) == done);
  CHECK(store.gateway_of("r").empty());
  CHECK_FALSE(store.is_marked("r", "gone"));
  CHECK(store.tombstone("r") == "gxy1");
  CHECK(a.perform(reap("q")) == in_use);
  CHECK(store.gateway_of("q") == "gxy2");
  CHECK_FALSE(store.is_marked("q", "gone"));
  CHECK(store.is_marked("q", "a"));
  CHECK(a.replica.use_mark("q") > 0);
  CHECK(a.perform(reap("q")) == in_use);  // once more, by another one
  CHECK(store.is_marked("q", "a"));
}

TEST_CASE("a sidecar that is back keeps its newer use marks") {
  Store store;
  Sidecar back(store, "back"), a(store, "a");
  REQUIRE(back.take("r", "gxy1") == won);
  a.follow();
  const auto command = a.made(Reap("r", "back", back.replica.use_mark("r")));
  REQUIRE(back.use("r") == true);
  CHECK(a.perform(command) == in_use);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK(store.is_marked("r", "back"));
}
