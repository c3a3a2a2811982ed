// Claims and republishing; command_end_test.cpp has the commands that remove something.
#include "cluster/command.h"

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

TEST_CASE("the first claim of a room wins it, and a later claim learns the winner's gateway") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");

  CHECK(a.take("r/1", "gxy1") == won);
  CHECK(a.holder == "gxy1");
  CHECK(a.knows("r/1") == "gxy1");
  CHECK(a.replica.use_mark("r/1") == store.mark("r/1", "a"));

  CHECK(b.take("r/1", "gxy2") == lost);
  CHECK(b.holder == "gxy1");
  CHECK(b.knows("r/1") == "gxy1");
  CHECK(b.replica.use_mark("r/1") == 0);

  CHECK(store.gateway_of("r/1") == "gxy1");
  CHECK(store.is_marked("r/1", "a"));
  CHECK_FALSE(store.is_marked("r/1", "b"));

  // A known row needs no transaction.
  auto again = b.claim("r/1", "gxy2");
  CHECK(b.prepare(again) == lost);
  CHECK(b.holder == "gxy1");
}

TEST_CASE("a claim that is sent twice is won both times, and by nobody else") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  auto claim = a.claim("r", "gxy1");
  REQUIRE_FALSE(a.prepare(claim));
  // The first one's answer was lost.
  cluster_test::send(store, claim);
  CHECK(b.take("r", "gxy2") == lost);
  for (int more = 0; more < 2; ++more) {
    CHECK(a.send(claim) == won);
    CHECK(a.replica.room("r")->modified == store.modified(store.keys.room("r")));
    CHECK(a.replica.use_mark("r") == store.mark("r", "a"));
  }
  // Another claim of the same sidecar is another one.
  auto other = Sidecar(store, "a").claim("r", "gxy3");
  other.id = "a-other";
  CHECK(Sidecar(store, "a").perform(other) == lost);
}

TEST_CASE("a claim repeated after the room was moved or given up takes nothing") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  auto claim = a.claim("r", "gxy1");
  REQUIRE_FALSE(a.prepare(claim));
  const auto first = cluster_test::send(store, claim);
  SECTION("the room was moved") {
    b.follow();
    REQUIRE(b.perform(b.claim("r", "gxy2", Kind::moved, "gxy1")) == won);
    CHECK(a.send(claim) == lost);
    CHECK(a.holder == "gxy2");
    CHECK(store.gateway_of("r") == "gxy2");
  }
  SECTION("it was given up") {
    a.conclude(claim, first);
    REQUIRE(a.give_up("r") == done);
    CHECK(a.send(claim) == retry);
    CHECK(store.gateway_of("r").empty());
    CHECK(store.tombstone("r") == "gxy1");
  }
}

TEST_CASE("a late answer to a claim counts less than newer followed changes") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  auto claim = b.claim("r", "gxy2");
  REQUIRE_FALSE(b.prepare(claim));
  const auto late = cluster_test::send(store, claim);
  const auto conclusion = [&] {
    b.follow();
    return b.conclude(claim, late);
  };
  SECTION("the room has ended") {
    REQUIRE(a.give_up("r") == done);
    CHECK(conclusion() == retry);
    CHECK(b.knows("r").empty());
    CHECK(b.replica.tombstone("r"));
  }
  SECTION("the room has moved") {
    REQUIRE(a.perform(a.claim("r", "gxy3", Kind::moved, "gxy1")) == won);
    CHECK(conclusion() == lost);
    CHECK(b.holder == "gxy3");
  }
}

TEST_CASE("the late answer to a won claim removes no tombstone that was followed since") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  auto claim = a.claim("r", "gxy1");
  REQUIRE_FALSE(a.prepare(claim));
  const auto late = cluster_test::send(store, claim);
  b.follow();
  REQUIRE(b.release("r", true) == done);
  a.follow();
  a.conclude(claim, late);
  CHECK(a.knows("r").empty());
  CHECK(a.replica.tombstone("r"));
}

TEST_CASE("a refused claim learns a tombstone that the replica had forgotten") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  REQUIRE(a.give_up("r") == done);
  b.follow();
  b.replica.drop_tombstone("r");
  CHECK(b.take("r", "gxy1") == retry);
  CHECK(b.take("r", "gxy1") == won);
}

TEST_CASE("a claim that did not know the room's tombstone learns it, and is decided anew") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  REQUIRE(a.give_up("r") == done);
  REQUIRE(store.tombstone("r") == "gxy1");

  CHECK(b.take("r", "gxy2") == retry);
  CHECK(store.gateway_of("r").empty());
  REQUIRE(b.replica.tombstone("r"));
  CHECK(b.replica.tombstone("r")->value.gateway == "gxy1");

  CHECK(b.take("r", "gxy1") == won);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK(store.tombstone("r").empty());
  CHECK_FALSE(b.replica.tombstone("r"));
  // A sidecar that knew the tombstone learns that the room has been claimed since.
  CHECK(a.take("r", "gxy1") == lost);
}

TEST_CASE("a claim is decided anew if the room's tombstone was replaced or removed") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  REQUIRE(a.give_up("r") == done);
  b.follow();
  auto claim = b.claim("r", "gxy1");
  REQUIRE_FALSE(b.prepare(claim));
  SECTION("newer") {
    REQUIRE(a.take("r", "gxy1") == won);
    REQUIRE(a.perform(a.claim("r", "gxy3", Kind::moved, "gxy1")) == won);
    REQUIRE(a.give_up("r") == done);
    CHECK(b.send(claim) == retry);
    REQUIRE(b.replica.tombstone("r"));
    CHECK(b.replica.tombstone("r")->value.gateway == "gxy3");
  }
  SECTION("none") {
    etcd::Transaction forget;
    forget.success.push_back({etcd::Operation::Kind::erase, store.keys.tombstone("r")});
    REQUIRE(store.client.transact(forget, etcd_test::patiently()).ok());
    CHECK(b.send(claim) == retry);
    CHECK_FALSE(b.replica.tombstone("r"));
    CHECK(b.take("r", "gxy2") == won);
  }
}

TEST_CASE("one of two simultaneous moves wins, and the other learns the room's new gateway") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  b.follow();
  auto by_a = a.claim("r", "gxy2", Kind::moved, "gxy1");
  auto by_b = b.claim("r", "gxy3", Kind::moved, "gxy1");
  by_b.request.is_used_here = false;
  REQUIRE_FALSE(a.prepare(by_a));
  REQUIRE_FALSE(b.prepare(by_b));
  CHECK(b.send(by_b) == won);
  CHECK(a.send(by_a) == lost);
  CHECK(a.holder == "gxy3");
  CHECK(store.gateway_of("r") == "gxy3");
  // The room is not in use at the mover.
  CHECK_FALSE(store.is_marked("r", "b"));
  CHECK(b.replica.use_mark("r") == 0);
  CHECK(store.is_marked("r", "a"));
  // The same one once more is won again.
  CHECK(b.send(by_b) == won);
}

TEST_CASE("a room is not moved off a gateway that it has left, nor without an assignment") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  CHECK(a.perform(a.claim("r", "gxy3", Kind::moved, "gxy2")) == lost);
  CHECK(a.holder == "gxy1");
  b.follow();
  REQUIRE(a.give_up("r") == done);
  CHECK(a.perform(a.claim("r", "gxy3", Kind::moved, "gxy1")) == retry);
  CHECK(b.perform(b.claim("r", "gxy3", Kind::moved, "gxy1")) == retry);  // it does not know yet
  CHECK(store.gateway_of("r").empty());
}

TEST_CASE("an empty room is replaced on another gateway only if no other sidecar uses it") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  // On either side of its own name.
  Sidecar other(store, GENERATE("0", "b", "a0", "a/"));
  REQUIRE(other.use("r") == true);
  CHECK(a.perform(a.claim("r", "gxy2", Kind::instead, "gxy1")) == lost);
  CHECK(a.holder == "gxy1");
  CHECK(store.gateway_of("r") == "gxy1");
  other.follow();
  REQUIRE(other.give_up("r") == in_use);
  CHECK(a.perform(a.claim("r", "gxy2", Kind::instead, "gxy1")) == won);
  CHECK(store.gateway_of("r") == "gxy2");
  CHECK(store.is_marked("r", "a"));
}

TEST_CASE("a claim that learns the room's new gateway is sent once more before it is refused") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  b.follow();
  REQUIRE(a.perform(a.claim("r", "gxy3", Kind::moved, "gxy1")) == won);
  REQUIRE(a.give_up("r") == done);
  REQUIRE(a.take("r", "gxy3") == won);
  CHECK(b.perform(b.claim("r", "gxy2", Kind::instead, "gxy1")) == anew);
  CHECK(b.knows("r") == "gxy3");
  CHECK(b.perform(b.claim("r", "gxy2", Kind::instead, "gxy1")) == lost);
}

TEST_CASE("the replacement of a room that has ended is a claim like that of a new room") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  REQUIRE(a.give_up("r") == done);
  REQUIRE(a.perform(a.claim("r", "gxy2", Kind::instead, "gxy1")) == won);
  CHECK(store.gateway_of("r") == "gxy2");
  CHECK(b.perform(b.claim("r", "gxy4", Kind::instead, "gxy1")) == anew);
  CHECK(b.knows("r") == "gxy2");
}

TEST_CASE("a room that the store lacks is republished") {
  Store store;
  Sidecar a(store, "a");
  auto republish = a.republish("r", "gxy1");
  REQUIRE_FALSE(a.prepare(republish));
  for (int times = 0; times < 2; ++times) {  // it may come twice
    CHECK(a.send(republish) == won);
    CHECK(store.gateway_of("r") == "gxy1");
    CHECK(store.is_marked("r", "a"));
    CHECK(a.replica.use_mark("r") == store.mark("r", "a"));
  }
}

TEST_CASE("a room that was given up is republished on its old gateway") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  REQUIRE(a.give_up("r") == done);
  CHECK(b.perform(b.republish("r", "gxy1")) == won);
  CHECK(store.gateway_of("r") == "gxy1");
  CHECK(store.tombstone("r").empty());
}

TEST_CASE("a room is republished over the older row that was seen, and over no other") {
  Store store;
  Sidecar a(store, "a"), b(store, "b"), late(store, "c");
  REQUIRE(b.take("r", "gxy1") == won);
  const auto seen = store.modified(store.keys.room("r"));
  CHECK(a.perform(a.republish("r", "gxy2", seen)) == won);
  CHECK(store.gateway_of("r") == "gxy2");
  // Two sidecars had it on other gateways: the first one to arrive decides.
  CHECK(late.perform(late.republish("r", "gxy3", seen)) == lost);
  CHECK(late.holder == "gxy2");
  CHECK(store.gateway_of("r") == "gxy2");
}

TEST_CASE("a room whose older row has gone meanwhile is republished like one that the store lacks") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(a.take("r", "gxy1") == won);
  auto republish = b.republish("r", "gxy2", store.modified(store.keys.room("r")));
  REQUIRE(a.give_up("r") == done);
  REQUIRE_FALSE(b.prepare(republish));
  CHECK(b.send(republish) == anew);
  CHECK(b.perform(republish) == won);
  CHECK(store.gateway_of("r") == "gxy2");
}

TEST_CASE("a republished row yields to an existing one") {
  Store store;
  Sidecar a(store, "a"), b(store, "b");
  REQUIRE(b.take("r", "gxy1") == won);
  CHECK(a.perform(a.republish("r", "gxy2")) == lost);
  CHECK(a.holder == "gxy1");
  CHECK(a.knows("r") == "gxy1");
  CHECK_FALSE(store.is_marked("r", "a"));
  // The row is known now, so no transaction is needed.
  auto again = a.republish("r", "gxy2");
  CHECK(a.prepare(again) == lost);
  auto same = a.republish("r", "gxy1");
  CHECK(a.prepare(same) == won);
}

TEST_CASE("an unreadable row is left alone") {
  Store store;
  Sidecar a(store, "a");
  etcd::Transaction put;
  put.success.push_back({etcd::Operation::Kind::put, store.keys.room("r"), "", "garbage"});
  REQUIRE(store.client.transact(put, etcd_test::patiently()).ok());
  CHECK(a.take("r", "gxy1") == failed);
  CHECK(a.perform(a.republish("r", "gxy1")) == failed);
  CHECK(store.text(store.keys.room("r")) == "garbage");
}
