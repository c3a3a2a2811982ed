// Claims and republishing; command_end_test.cpp has the commands that remove something.
#include "cluster/command.h"

#include "catch.h"
#include "commands.h"

using namespace std::chrono_literals;
using namespace cluster;
using cluster_test::Sidecar;
using cluster_test::Store;
using Kind = app::ClaimRequest::Kind;
using What = Conclusion::What;

TEST_CASE("the first claim of a room wins it, and a later claim learns the winner's gateway") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");

  const auto won = a.take("r/1", "gxy1");
  CHECK(won.what == What::done);
  REQUIRE(won.row);
  CHECK(won.row->gateway_name == "gxy1");
  CHECK(a.knows("r/1") == "gxy1");
  CHECK(a.replica.use_mark("r/1") == store.mark("r/1", "a"));

  const auto lost = b.take("r/1", "gxy2");
  CHECK(lost.what == What::not_so);
  REQUIRE(lost.row);
  CHECK(lost.row->gateway_name == "gxy1");
  CHECK(b.knows("r/1") == "gxy1");
  CHECK(b.replica.use_mark("r/1") == 0);

  CHECK(store.gateway_of("r/1") == "gxy1");
  CHECK(store.is_marked("r/1", "a"));
  CHECK_FALSE(store.is_marked("r/1", "b"));

  // A known row needs no transaction.
  auto again = b.claim("r/1", "gxy2");
  const auto known = b.prepare(again);
  CHECK(known.what == What::not_so);
  CHECK(known.row->gateway_name == "gxy1");
}

TEST_CASE("a claim that is sent twice is won both times, and by nobody else") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  auto claim = a.claim("r", "gxy1");
  REQUIRE(a.prepare(claim).what == What::ask);
  // The first one's answer was lost.
  cluster_test::send(store, claim);
  CHECK(b.take("r", "gxy2").what == What::not_so);
  for (int more = 0; more < 2; ++more) {
    CHECK(a.send(claim).what == What::done);
    CHECK(a.replica.room("r")->modified == store.modified(store.keys.room("r")));
    CHECK(a.replica.use_mark("r") == store.mark("r", "a"));
  }
  // Another claim of the same sidecar is another one.
  auto other = Sidecar(store, "a").claim("r", "gxy3");
  other.id = "a-other";
  CHECK(Sidecar(store, "a").perform(other).what == What::not_so);
}

TEST_CASE("a claim repeated after the room was moved or given up takes nothing") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  auto claim = a.claim("r", "gxy1");
  REQUIRE(a.prepare(claim).what == What::ask);
  const auto first = cluster_test::send(store, claim);
  SECTION("the room was moved") {
    b.follow();
    REQUIRE(b.perform(b.claim("r", "gxy2", Kind::moved, "gxy1")).what == What::done);
    const auto late = a.send(claim);
    CHECK(late.what == What::not_so);
    CHECK(late.row->gateway_name == "gxy2");
    CHECK(store.gateway_of("r") == "gxy2");
  }
  SECTION("the room was given up") {
    conclude(claim, first.value.done[0].nested[0], first.header.revision, a.replica);
    REQUIRE(a.give_up("r").what == What::done);
    CHECK(a.send(claim).what == What::again);
    CHECK(store.gateway_of("r").empty());
    CHECK(store.tombstone("r") == "gxy1");
  }
}

TEST_CASE("a late answer to a claim counts less than newer followed changes") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  auto claim = b.claim("r", "gxy2");
  REQUIRE(b.prepare(claim).what == What::ask);
  const auto late = cluster_test::send(store, claim);
  const auto conclusion = [&] {
    b.follow();
    return conclude(claim, late.value.done[0].nested[0], late.header.revision, b.replica);
  };
  SECTION("the room has ended") {
    REQUIRE(a.give_up("r").what == What::done);
    CHECK(conclusion().what == What::again);
    CHECK(b.knows("r").empty());
    CHECK(b.replica.tombstone("r"));
  }
  SECTION("the room has moved") {
    REQUIRE(a.perform(a.claim("r", "gxy3", Kind::moved, "gxy1")).what == What::done);
    const auto lost = conclusion();
    CHECK(lost.what == What::not_so);
    CHECK(lost.row->gateway_name == "gxy3");
  }
}

TEST_CASE("the late answer to a won claim removes no tombstone that was followed since") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  auto claim = a.claim("r", "gxy1");
  REQUIRE(a.prepare(claim).what == What::ask);
  const auto late = cluster_test::send(store, claim);
  b.follow();
  auto release = b.command(Command::Kind::release, "r");
  release.force = true;
  REQUIRE(b.perform(release).what == What::done);
  a.follow();
  conclude(claim, late.value.done[0].nested[0], late.header.revision, a.replica);
  CHECK(a.knows("r").empty());
  CHECK(a.replica.tombstone("r"));
}

TEST_CASE("a refused claim learns a tombstone that the replica had forgotten") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  REQUIRE(a.give_up("r").what == What::done);
  b.follow();
  b.replica.drop_tombstone("r");
  CHECK(b.take("r", "gxy1").what == What::again);
  CHECK(b.take("r", "gxy1").what == What::done);
}

TEST_CASE("a claim that did not know the room's tombstone learns it, and is decided anew") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  REQUIRE(a.give_up("r").what == What::done);
  REQUIRE(store.tombstone("r") == "gxy1");

  CHECK(b.take("r", "gxy2").what == What::again);
  CHECK(store.gateway_of("r").empty());
  REQUIRE(b.replica.tombstone("r"));
  CHECK(b.replica.tombstone("r")->value.gateway == "gxy1");

  CHECK(b.take("r", "gxy1").what == What::done);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK(store.tombstone("r").empty());
  CHECK_FALSE(b.replica.tombstone("r"));
  // A sidecar that knew the tombstone learns that the room has been claimed since.
  CHECK(a.take("r", "gxy1").what == What::not_so);
}

TEST_CASE("a claim is decided anew if the room's tombstone was replaced or removed") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  REQUIRE(a.give_up("r").what == What::done);
  b.follow();
  auto claim = b.claim("r", "gxy1");
  REQUIRE(b.prepare(claim).what == What::ask);
  SECTION("newer") {
    REQUIRE(a.take("r", "gxy1").what == What::done);
    REQUIRE(a.perform(a.claim("r", "gxy3", Kind::moved, "gxy1")).what == What::done);
    REQUIRE(a.give_up("r").what == What::done);
    CHECK(b.send(claim).what == What::again);
    REQUIRE(b.replica.tombstone("r"));
    CHECK(b.replica.tombstone("r")->value.gateway == "gxy3");
  }
  SECTION("none") {
    etcd::Transaction forget;
    forget.success.push_back({etcd::Operation::Kind::erase, store.keys.tombstone("r")});
    REQUIRE(store.engine.transact(forget, etcd_test::patiently()).ok());
    CHECK(b.send(claim).what == What::again);
    CHECK_FALSE(b.replica.tombstone("r"));
    CHECK(b.take("r", "gxy2").what == What::done);
  }
}

TEST_CASE("one of two simultaneous moves wins, and the other learns the room's new gateway") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  b.follow();
  auto by_a = a.claim("r", "gxy2", Kind::moved, "gxy1");
  auto by_b = b.claim("r", "gxy3", Kind::moved, "gxy1");
  by_b.request.is_used_here = false;
  REQUIRE(a.prepare(by_a).what == What::ask);
  REQUIRE(b.prepare(by_b).what == What::ask);
  CHECK(b.send(by_b).what == What::done);
  const auto lost = a.send(by_a);
  CHECK(lost.what == What::not_so);
  CHECK(lost.row->gateway_name == "gxy3");
  CHECK(store.gateway_of("r") == "gxy3");
  // The room is not in use at the mover.
  CHECK_FALSE(store.is_marked("r", "b"));
  CHECK(b.replica.use_mark("r") == 0);
  CHECK(store.is_marked("r", "a"));
  // The same one once more is won again.
  CHECK(b.send(by_b).what == What::done);
}

TEST_CASE("a room is not moved off a gateway that it has left, nor without an assignment") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  const auto elsewhere = a.perform(a.claim("r", "gxy3", Kind::moved, "gxy2"));
  CHECK(elsewhere.what == What::not_so);
  CHECK(elsewhere.row->gateway_name == "gxy1");
  b.follow();
  REQUIRE(a.give_up("r").what == What::done);
  CHECK(a.perform(a.claim("r", "gxy3", Kind::moved, "gxy1")).what == What::again);
  CHECK(b.perform(b.claim("r", "gxy3", Kind::moved, "gxy1")).what == What::again);  // it does not know yet
  CHECK(store.gateway_of("r").empty());
}

TEST_CASE("an empty room is replaced on another gateway only if no other sidecar uses it") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  // On either side of its own name.
  Sidecar other(store, GENERATE("0", "b", "a0", "a/"));
  REQUIRE(other.use("r").what == What::done);
  const auto kept = a.perform(a.claim("r", "gxy2", Kind::instead, "gxy1"));
  CHECK(kept.what == What::not_so);
  CHECK(kept.row->gateway_name == "gxy1");
  CHECK(store.gateway_of("r") == "gxy1");
  other.follow();
  REQUIRE(other.give_up("r").what == What::not_so);
  CHECK(a.perform(a.claim("r", "gxy2", Kind::instead, "gxy1")).what == What::done);
  CHECK(store.gateway_of("r") == "gxy2");
  CHECK(store.is_marked("r", "a"));
}

TEST_CASE("a claim that learns the room's new gateway is sent once more before it is refused") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  b.follow();
  REQUIRE(a.perform(a.claim("r", "gxy3", Kind::moved, "gxy1")).what == What::done);
  REQUIRE(a.give_up("r").what == What::done);
  REQUIRE(a.take("r", "gxy3").what == What::done);
  const auto reported = b.perform(b.claim("r", "gxy2", Kind::instead, "gxy1"));
  CHECK(reported.what == What::resend);
  CHECK(b.knows("r") == "gxy3");
  CHECK(b.perform(b.claim("r", "gxy2", Kind::instead, "gxy1")).what == What::not_so);
}

TEST_CASE("the replacement of a room that has ended is a claim like that of a new room") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  REQUIRE(a.give_up("r").what == What::done);
  REQUIRE(a.perform(a.claim("r", "gxy2", Kind::instead, "gxy1")).what == What::done);
  CHECK(store.gateway_of("r") == "gxy2");
  CHECK(b.perform(b.claim("r", "gxy4", Kind::instead, "gxy1")).what == What::resend);
  CHECK(b.knows("r") == "gxy2");
}

TEST_CASE("a room that the store lacks is republished") {
  Store store;
  Sidecar a(store, "a");
  auto republish = a.republish("r", "gxy1");
  REQUIRE(a.prepare(republish).what == What::ask);
  for (int times = 0; times < 2; ++times) {  // it may come twice
    CHECK(a.send(republish).what == What::done);
    CHECK(store.gateway_of("r") == "gxy1");
    CHECK(store.is_marked("r", "a"));
    CHECK(a.replica.use_mark("r") == store.mark("r", "a"));
  }
}

TEST_CASE("a room that was given up is republished on its old gateway") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  REQUIRE(a.give_up("r").what == What::done);
  CHECK(b.perform(b.republish("r", "gxy1")).what == What::done);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK(store.tombstone("r").empty());
}

TEST_CASE("a room is republished over the older row that was seen, and over no other") {
  Store store;
  Sidecar a(store, "a"), b(store, "b"), late(store, "c");
  REQUIRE(b.take("r", "gxy1").what == What::done);
  const auto seen = store.modified(store.keys.room("r"));
  CHECK(a.perform(a.republish("r", "gxy2", seen)).what == What::done);
  CHECK(store.gateway_of("r") == "gxy2");
  // Two sidecars had it on other gateways: the first one to arrive decides.
  const auto lost = late.perform(late.republish("r", "gxy3", seen));
  CHECK(lost.what == What::not_so);
  CHECK(lost.row->gateway_name == "gxy2");
  CHECK(store.gateway_of("r") == "gxy2");
}

TEST_CASE("a room whose older row has gone meanwhile is republished like one that the store lacks") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1").what == What::done);
  auto republish = b.republish("r", "gxy2", store.modified(store.keys.room("r")));
  REQUIRE(a.give_up("r").what == What::done);
  REQUIRE(b.prepare(republish).what == What::ask);
  CHECK(b.send(republish).what == What::again);
  CHECK(b.perform(republish).what == What::done);
  CHECK(store.gateway_of("r") == "gxy2");
}

TEST_CASE("a republished row yields to an existing one") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(b.take("r", "gxy1").what == What::done);
  const auto conflict = a.perform(a.republish("r", "gxy2"));
  CHECK(conflict.what == What::not_so);
  CHECK(conflict.row->gateway_name == "gxy1");
  CHECK(a.knows("r") == "gxy1");
  CHECK_FALSE(store.is_marked("r", "a"));
  // The row is known now, so no transaction is needed.
  auto again = a.republish("r", "gxy2");
  CHECK(a.prepare(again).what == What::not_so);
  auto same = a.republish("r", "gxy1");
  CHECK(a.prepare(same).what == What::done);
}

TEST_CASE("an unreadable row is left alone") {
  Store store;
  Sidecar a(store, "a");
  etcd::Transaction put;
  put.success.push_back({etcd::Operation::Kind::put, store.keys.room("r"), "", "garbage"});
  REQUIRE(store.engine.transact(put, etcd_test::patiently()).ok());
  CHECK(a.take("r", "gxy1").what == What::refused);
  CHECK(a.perform(a.republish("r", "gxy1")).what == What::refused);
  CHECK(store.text(store.keys.room("r")) == "garbage");
}
