// Changes by other sidecars, as the ledger takes them in.
#include <chrono>
#include <string>

#include "catch.h"
#include "ledger_steps.h"

namespace {

using namespace std::chrono_literals;
using domain::Ledger;
using domain::Use;
using domain_test::assign;
using domain_test::at;
using domain_test::own;
using domain_test::rooms_on;

domain::Assignment row(const domain::RoomId& room, const std::string& gateway) {
  return {room, gateway, "IL", at(0s).wall, at(0s).wall};
}

// The uses to announce: "room use", one after the other.
std::string reported(Ledger& ledger) {
  std::string text;
  for (const auto& reported : ledger.take_uses()) {
    const char* use = reported.use == Use::live ? " live" : reported.use == Use::kept ? " kept" : " none";
    text += (text.empty() ? "" : ", ") + reported.room_id.text() + use;
  }
  return text;
}

std::string gateway_of(const Ledger& ledger, const domain::RoomId& room) {
  const Ledger::Room* entry = ledger.find(room);
  return entry && entry->held ? ledger.name_of(entry->held->gateway) : "";
}

}  // namespace

TEST_CASE("a followed room is held, counted and written") {
  Ledger ledger;
  ledger.follow(row("r", "a"));
  CHECK(gateway_of(ledger, "r") == "a");
  CHECK(rooms_on(ledger, "a") == 1);
  const auto changes = ledger.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(std::get<domain::Assignment>(changes[0]) == row("r", "a"));
  ledger.follow(row("r", "a"));
  CHECK(ledger.take_changes().empty());  // no news
}

TEST_CASE("a followed move takes the room to its new gateway, and the next answer says so") {
  Ledger ledger;
  ledger.follow(row("r", "a"));
  CHECK_FALSE(ledger.find("r")->moved);
  ledger.follow(row("r", "b"));
  CHECK(gateway_of(ledger, "r") == "b");
  CHECK(rooms_on(ledger, "a") == 0);
  CHECK(rooms_on(ledger, "b") == 1);
  CHECK(ledger.find("r")->moved);
  ledger.answered("r", at(1s));
  CHECK_FALSE(ledger.find("r")->moved);
}

TEST_CASE("a followed row does not turn the room's last use back") {
  Ledger ledger;
  assign(ledger, "r", "a", at(0s));
  ledger.answered("r", at(50s));
  ledger.follow(row("r", "b"));
  CHECK(ledger.find("r")->held->last_used_at == at(50s).wall);
}

TEST_CASE("a followed row does not replace a pending claim, which will learn the row itself") {
  Ledger ledger;
  ledger.book("r", ledger.number_of("a"), "", at(0s));
  ledger.follow(row("r", "b"));
  ledger.unfollow("r");
  CHECK(gateway_of(ledger, "r") == "a");
  CHECK(ledger.find("r")->pending);
}

TEST_CASE("a room that has ended at another sidecar ends here, even with users in it") {
  Ledger ledger;
  ledger.follow(row("r", "a"));
  ledger.enter("s", "r", {}, own, at(1s));
  ledger.set_announced_use("r", Use::live);
  (void)ledger.take_changes();
  ledger.unfollow("r");
  REQUIRE(ledger.find("r"));  // its session is still there
  CHECK(gateway_of(ledger, "r").empty());
  CHECK(ledger.find("r")->users == 1);
  CHECK(ledger.announced_use("r") == Use::none);
  CHECK(rooms_on(ledger, "a") == 0);
  const auto changes = ledger.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(std::get<domain::AssignmentGone>(changes[0]).room_id == "r");
  ledger.unfollow("r");
  ledger.unfollow("unheard-of");
  CHECK(ledger.take_changes().empty());
}

TEST_CASE("a room's use is announced when it changes, and anew after a give-up") {
  Ledger ledger;
  ledger.announce_uses(true);
  ledger.follow(row("r", "a"));
  CHECK(reported(ledger).empty());  // followed, but not used here
  ledger.answered("r", at(1s));
  ledger.answered("r", at(2s));
  CHECK(reported(ledger) == "r kept");
  ledger.enter("s", "r", {}, own, at(3s));
  ledger.enter("t", "r", {}, own, at(3s));
  ledger.answered("r", at(4s));
  CHECK(reported(ledger) == "r live");
  CHECK(ledger.announced_use("r") == Use::live);
  ledger.set_announced_use("r", Use::none);
  ledger.enter("u", "r", {}, own, at(5s));
  CHECK(reported(ledger) == "r live");
  ledger.unfollow("r");
  ledger.follow(row("r", "a"));
  ledger.answered("r", at(6s));
  CHECK(reported(ledger) == "r kept");
}

TEST_CASE("an emptied room that stays is announced once, and not while a user is in it") {
  Ledger ledger;
  ledger.announce_uses(true);
  ledger.follow(row("r", "a"));
  ledger.note_emptied("r");
  CHECK(reported(ledger).empty());
  ledger.enter("s", "r", {}, own, at(1s));
  CHECK(reported(ledger) == "r live");
  ledger.note_emptied("r");
  CHECK(reported(ledger).empty());
  ledger.leave("s", "r");
  ledger.note_emptied("r");
  ledger.note_emptied("r");
  ledger.note_emptied("unheard-of");
  CHECK(reported(ledger) == "r kept");
}

TEST_CASE("no use is announced for a room without assignment, nor while announcing is off") {
  Ledger ledger;
  ledger.follow(row("r", "a"));
  ledger.answered("r", at(1s));
  CHECK(reported(ledger).empty());
  ledger.announce_uses(true);
  ledger.enter("s", "q", {}, own, at(2s));
  CHECK(reported(ledger).empty());
  ledger.answered("r", at(3s));
  ledger.announce_uses(false);
  CHECK_FALSE(ledger.announces_uses());
  CHECK(reported(ledger).empty());
  CHECK(ledger.announced_use("r") == Use::none);
}

TEST_CASE("uses announced before are announced again when announcing begins anew") {
  Ledger ledger;
  ledger.announce_uses(true);
  ledger.follow(row("r", "a"));
  ledger.answered("r", at(1s));
  CHECK(reported(ledger) == "r kept");
  ledger.announce_uses(true);
  ledger.answered("r", at(2s));
  CHECK(reported(ledger) == "r kept");
}

TEST_CASE("a room returns to the gateway of its tombstone until the tombstone is forgotten") {
  Ledger ledger;
  CHECK_FALSE(ledger.tombstone_gateway("r"));
  ledger.set_tombstone("r", "a");
  CHECK(ledger.tombstone_gateway("r") == ledger.number_of("a"));
  ledger.set_tombstone("r", "b");
  CHECK(ledger.tombstone_gateway("r") == ledger.number_of("b"));
  SECTION("for this room") { ledger.set_tombstone("r", std::nullopt); }
  SECTION("for all") { ledger.forget_tombstones(); }
  SECTION("since uses are announced anew") { ledger.announce_uses(true); }
  CHECK_FALSE(ledger.tombstone_gateway("r"));
}

TEST_CASE("another sidecar's use of a room counts until its time is over") {
  Ledger ledger;
  ledger.note_elsewhere("unheard-of", at(10s).service);
  CHECK_FALSE(ledger.is_used_elsewhere("unheard-of", at(0s).service));
  ledger.follow(row("r", "a"));
  CHECK_FALSE(ledger.is_used_elsewhere("r", at(0s).service));
  ledger.note_elsewhere("r", at(10s).service);
  CHECK(ledger.is_used_elsewhere("r", at(10s - 1ms).service));
  CHECK_FALSE(ledger.is_used_elsewhere("r", at(10s).service));
}

namespace {
// As "r 3", of all rooms at once.
std::string recounts(Ledger& ledger, domain::Moment now) {
  std::vector<domain::RoomUse> taken;
  domain::RoomId after;
  std::string text;
  CHECK_FALSE(ledger.take_recounts(now.service, after, 100, taken));
  for (const auto& one : taken) {
    CHECK(one.use == Use::live);
    text += (text.empty() ? "" : " ") + one.room_id.text() + " " + std::to_string(one.users);
  }
  return text;
}
}  // namespace

TEST_CASE("a room's number of users is announced when it changes, at most once a second") {
  Ledger ledger;
  ledger.announce_uses(true);
  ledger.follow(row("r", "a"));
  ledger.enter("s", "r", {}, own, at(1s));
  CHECK(ledger.take_uses().front().users == 1);
  CHECK(recounts(ledger, at(1s)).empty());
  ledger.enter("t", "r", {}, own, at(1s));
  ledger.enter("u", "r", {}, own, at(1s));
  CHECK(recounts(ledger, at(2s - 1ms)).empty());  // its first use was announced just now
  CHECK(recounts(ledger, at(2s)) == "r 3");
  ledger.leave("u", "r");
  CHECK(recounts(ledger, at(3s - 1ms)).empty());
  CHECK(recounts(ledger, at(3s)) == "r 2");
  CHECK(recounts(ledger, at(9s)).empty());
  SECTION("nothing for a keepalive") { ledger.enter("t", "r", {}, own, at(9s)); }
  SECTION("nothing for a change that was undone") {
    ledger.enter("v", "r", {}, own, at(9s));
    ledger.leave("v", "r");
  }
  SECTION("nothing for a room announced as empty") {
    ledger.leave("s", "r");
    ledger.leave("t", "r");
    ledger.note_emptied("r");
    CHECK(reported(ledger) == "r kept");
  }
  SECTION("nothing for a room that has ended") {
    ledger.leave("t", "r");
    ledger.unfollow("r");
  }
  SECTION("nothing while announcing is off") {
    ledger.enter("v", "r", {}, own, at(9s));
    ledger.announce_uses(false);
  }
  CHECK(recounts(ledger, at(10s)).empty());
}

TEST_CASE("the end of silent sessions is announced") {
  Ledger ledger;
  ledger.announce_uses(true);
  ledger.follow(row("r", "a"));
  ledger.enter("s", "r", {}, own, at(1s));
  ledger.enter("t", "r", {}, own, at(50s));
  CHECK(recounts(ledger, at(50s)) == "r 2");
  ledger.expire(at(91s).service, 90s, 100);
  CHECK(recounts(ledger, at(91s)) == "r 1");
}

TEST_CASE("numbers of users are handed over in slices") {
  Ledger ledger;
  ledger.announce_uses(true);
  for (const domain::RoomId& room : {domain::RoomId("p"), domain::RoomId("q"), domain::RoomId("r")}) {
    ledger.follow(row(room, "a"));
    ledger.enter(room.text() + "1", room, {}, own, at(1s));
    ledger.enter(room.text() + "2", room, {}, own, at(1s));
  }
  std::vector<domain::RoomUse> taken;
  domain::RoomId after;
  CHECK(ledger.take_recounts(at(2s).service, after, 2, taken));
  CHECK(taken.size() == 2);
  CHECK_FALSE(ledger.take_recounts(at(2s).service, after, 2, taken));
  CHECK(taken.size() == 3);
}

TEST_CASE("users at other sidecars count for a room and as its gateway's load, whether it is known or not") {
  Ledger ledger;
  ledger.count_excess_users(3);
  const auto excess_users = [&] { return domain_test::excess_users_on(ledger, "a"); };
  ledger.set_users_elsewhere("r", 5);
  CHECK(ledger.find("r")->all_users() == 5);
  ledger.follow(row("r", "a"));
  CHECK(excess_users() == 2);
  ledger.enter("s", "r", {}, own, at(1s));
  CHECK(ledger.find("r")->all_users() == 6);
  CHECK(ledger.find("r")->users == 1);
  CHECK(excess_users() == 3);
  ledger.set_users_elsewhere("r", 0);
  CHECK(excess_users() == 0);
  ledger.leave("s", "r");
  ledger.set_users_elsewhere("r", 1);
  ledger.unfollow("r");
  CHECK_FALSE(ledger.find("r")->has_users());
  ledger.set_users_elsewhere("r", 0);
  CHECK_FALSE(ledger.find("r"));
  ledger.set_users_elsewhere("unheard-of", 0);
  CHECK_FALSE(ledger.find("unheard-of"));
}
