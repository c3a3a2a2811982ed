#include "cluster/replica.h"

#include <string>

#include "catch.h"

using namespace std::chrono_literals;
using cluster::Replica;
using cluster::Tombstone;
using etcd::Revision;

namespace {

domain::Assignment row(const domain::RoomId& room, const std::string& gateway) {
  return {room, gateway, "IL", domain::WallTime{1h}, domain::WallTime{2h}};
}

std::string gateway_of(const Replica& replica, const domain::RoomId& room) {
  const auto known = replica.room(room);
  return known ? known->row.gateway_name : "";
}

}  // namespace

TEST_CASE("a room is kept as written, without its time of use") {
  Replica replica;
  CHECK(replica.take_room(row("r", "a"), 5));
  const auto known = replica.room("r");
  REQUIRE(known);
  CHECK(known->modified == 5);
  CHECK(known->row.room_id == "r");
  CHECK(known->row.gateway_name == "a");
  CHECK(known->row.region == "IL");
  CHECK(known->row.assigned_at == domain::WallTime{1h});
  CHECK(known->row.last_used_at == domain::WallTime{1h});
  CHECK(replica.rooms() == 1);
  CHECK_FALSE(replica.room("q"));
}

TEST_CASE("an older row never replaces a newer one") {
  Replica replica;
  CHECK(replica.take_room(row("r", "b"), 7));
  CHECK_FALSE(replica.take_room(row("r", "a"), 5));
  CHECK_FALSE(replica.take_room(row("r", "a"), 7));
  CHECK(gateway_of(replica, "r") == "b");
  CHECK(replica.take_room(row("r", "a"), 8));
  CHECK(gateway_of(replica, "r") == "a");
}

TEST_CASE("a change counts once, whether its answer or its watch event comes first") {
  Replica replica;
  replica.set_followed(4);
  CHECK(replica.take_room(row("r", "a"), 5));        // whichever comes first
  CHECK_FALSE(replica.take_room(row("r", "a"), 5));  // and the other
  replica.set_followed(5);
  CHECK_FALSE(replica.take_room(row("r", "a"), 5));
  CHECK(gateway_of(replica, "r") == "a");
}

TEST_CASE("a removed row is not brought back by a late answer") {
  Replica replica;
  replica.take_room(row("r", "a"), 5);
  CHECK(replica.drop_room("r", 6));
  replica.set_followed(6);
  CHECK_FALSE(replica.take_room(row("r", "a"), 5));
  CHECK_FALSE(replica.room("r"));
  // Nor one that this one has never had.
  CHECK_FALSE(replica.take_room(row("q", "a"), 6));
  CHECK(replica.take_room(row("q", "a"), 7));
}

TEST_CASE("a removal removes only older rows") {
  Replica replica;
  replica.take_room(row("r", "a"), 5);
  CHECK_FALSE(replica.drop_room("r", 5));
  CHECK_FALSE(replica.drop_room("r", 4));
  CHECK(gateway_of(replica, "r") == "a");
  CHECK(replica.drop_room("r", 6));
  CHECK_FALSE(replica.drop_room("r", 6));
}

TEST_CASE("the newest room is the one of the highest revision, even after its end, until another store is followed") {
  Replica replica;
  CHECK(replica.newest().modified == 0);
  replica.take_room(row("r", "a"), 7);
  replica.take_room(row("q", "a"), 6);
  replica.drop_room("r", 8);
  CHECK(replica.newest().room == "r");
  CHECK(replica.newest().modified == 7);
  replica.forget_revisions();
  CHECK(replica.newest().modified == 0);
}

TEST_CASE("every row of another store is new, whatever its revision") {
  Replica replica;
  replica.take_room(row("r", "a"), 500);
  replica.set_followed(600);
  replica.forget_revisions();
  CHECK(replica.followed() == 0);
  CHECK(gateway_of(replica, "r") == "a");
  CHECK(replica.take_room(row("r", "b"), 3));
  CHECK(replica.take_room(row("q", "b"), 4));
  CHECK(gateway_of(replica, "r") == "b");
}

TEST_CASE("the newest tombstone of a room counts, and its age begins with it") {
  Replica replica;
  CHECK_FALSE(replica.tombstone("r"));
  replica.put_tombstone("r", Tombstone{"a", Tombstone::Why::empty, "1"}, 5);
  const auto since = replica.tombstone("r")->since;
  replica.put_tombstone("r", Tombstone{"b", Tombstone::Why::empty, "2"}, 4);
  replica.put_tombstone("r", Tombstone{"b", Tombstone::Why::empty, "2"}, 5);
  CHECK(replica.tombstone("r")->value.gateway == "a");
  CHECK(replica.tombstone("r")->since == since);
  replica.put_tombstone("r", Tombstone{"b", Tombstone::Why::released, "2"}, 6);
  CHECK(replica.tombstone("r")->value.gateway == "b");
  CHECK(replica.tombstone("r")->modified == 6);
  SECTION("this one") { replica.drop_tombstone("r"); }
  SECTION("all") { replica.forget_tombstones(); }
  CHECK_FALSE(replica.tombstone("r"));
  replica.drop_tombstone("r");
}

TEST_CASE("a missing use mark has the revision 0") {
  Replica replica;
  CHECK(replica.use_mark("r") == 0);
  replica.set_use_mark("r", 5);
  CHECK(replica.use_mark("r") == 5);
  replica.set_use_mark("r", 7);
  CHECK(replica.use_mark("r") == 7);
  SECTION("this one") { replica.drop_use_mark("r"); }
  SECTION("all") { replica.forget_use_marks(100); }
  CHECK(replica.use_mark("r") == 0);
}

TEST_CASE("a failover is known until it is over") {
  Replica replica;
  CHECK_FALSE(replica.failover("a"));
  replica.take_failover("a", {"b"}, 5);
  REQUIRE(replica.failover("a"));
  CHECK(replica.failover("a")->value.standby == "b");
  CHECK(replica.failover("a")->modified == 5);
  replica.drop_failover("a");
  CHECK_FALSE(replica.failover("a"));
}

TEST_CASE("users of a room are counted over all sidecars but the silent ones") {
  Replica replica;
  CHECK(replica.users("r") == 0);
  replica.set_users("r", "a", 2);
  replica.set_users("r", "b", 3);
  replica.set_users("q", "b", 1);
  CHECK(replica.users("r") == 5);
  replica.set_users("r", "a", 4);
  CHECK(replica.users("r") == 7);
  replica.set_silent({"b", "unheard-of"});
  CHECK(replica.users("r") == 4);
  CHECK(replica.rooms_with_users("", 10) == std::vector<domain::RoomId>{"q", "r"});
  CHECK(replica.rooms_with_users("q", 10) == std::vector<domain::RoomId>{"r"});
  replica.set_silent({});
  CHECK(replica.users("r") == 7);
  replica.set_users("r", "a", 0);
  replica.set_users("r", "b", 0);
  CHECK(replica.rooms_with_users("", 10) == std::vector<domain::RoomId>{"q"});
  replica.forget_users();
  CHECK(replica.users("q") == 0);
}
