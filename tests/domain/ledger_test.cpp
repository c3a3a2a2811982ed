#include "domain/ledger.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "catch.h"
#include "ledger_steps.h"
#include "pace.h"

namespace {

using namespace std::chrono_literals;
using domain::Ledger;
using domain_test::assign;
using domain_test::at;
using domain_test::own;
using domain_test::rooms_on;

constexpr auto grace = std::chrono::milliseconds{120s};
constexpr std::size_t all = 1000;  // at once

void count_excess_users(Ledger& ledger, std::optional<std::int64_t> average) {
  domain::RoomId after;
  if (ledger.count_excess_users(average)) ledger.recount_excess_users(after, all);
}

}  // namespace

TEST_CASE("a booking counts at once, and a withdrawn one never did") {
  Ledger ledger;
  ledger.book("r", ledger.number_of("a"), "", at(0s));
  CHECK(rooms_on(ledger, "a") == 1);
  CHECK(ledger.find("r")->pending);
  ledger.withdraw("r");
  CHECK(rooms_on(ledger, "a") == 0);
  CHECK(ledger.find("r") == nullptr);
  // The file may hold the row, if a failed commit reappears after a crash, so its removal is written.
  const auto changes = ledger.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(std::get<domain::AssignmentGone>(changes[0]).room_id == "r");
}

TEST_CASE("a withdrawn booking leaves the assignment that it should have replaced") {
  Ledger ledger;
  assign(ledger, "r", "a", at(0s));
  ledger.book("r", ledger.number_of("b"), "", at(1s));
  CHECK(rooms_on(ledger, "a") == 0);
  ledger.withdraw("r");
  CHECK(rooms_on(ledger, "a") == 1);
  CHECK(rooms_on(ledger, "b") == 0);
  CHECK(ledger.name_of(ledger.find("r")->held->gateway) == "a");
}

TEST_CASE("a claim lost to another gateway counts on that gateway") {
  Ledger ledger;
  ledger.book("r", ledger.number_of("a"), "", at(0s));
  ledger.confirm("r", ledger.number_of("b"));
  CHECK(rooms_on(ledger, "a") == 0);
  CHECK(rooms_on(ledger, "b") == 1);
}

TEST_CASE("a session is in one room at a time") {
  Ledger ledger;
  assign(ledger, "r", "a", at(0s));
  assign(ledger, "q", "a", at(0s));
  CHECK(ledger.enter("s", "r", {}, own, at(1s)).entered);
  CHECK_FALSE(ledger.enter("s", "r", {}, own, at(2s)).entered);
  CHECK(ledger.find("r")->users == 1);
  const auto moved = ledger.enter("s", "q", {}, own, at(3s));
  CHECK_FALSE(moved.entered);
  CHECK(moved.moved_from == "r");
  CHECK(ledger.find("r")->users == 0);
  CHECK(ledger.find("q")->users == 1);
  CHECK_FALSE(ledger.leave("s", "r"));
  CHECK(ledger.leave("s", "q"));
  CHECK_FALSE(ledger.leave("s", "q"));
}

TEST_CASE("an emptied room may end at once, unless a user is on the way") {
  Ledger ledger;
  assign(ledger, "r", "a", at(0s));
  ledger.enter("s", "r", {}, own, at(1s));
  CHECK_FALSE(ledger.may_end("r", at(2s).service, grace));  // occupied
  SECTION("nobody is") {
    ledger.leave("s", "r");
    CHECK(ledger.may_end("r", at(2s).service, grace));
    CHECK(rooms_on(ledger, "a") == 1);  // it only may
    CHECK(ledger.end_assignment("r"));
    CHECK(rooms_on(ledger, "a") == 0);
  }
  SECTION("answered after the latest enter") {
    ledger.answered("r", at(2s));
    ledger.leave("s", "r");
    CHECK_FALSE(ledger.may_end("r", at(3s).service, grace));
    CHECK_FALSE(ledger.may_end("r", at(2s + grace - 1ms).service, grace));
    CHECK(ledger.may_end("r", at(2s + grace).service, grace));
  }
  SECTION("answered before the latest enter") {
    ledger.answered("r", at(2s));
    ledger.enter("t", "r", {}, own, at(3s));
    ledger.leave("s", "r");
    ledger.leave("t", "r");
    CHECK(ledger.may_end("r", at(4s).service, grace));
  }
}

TEST_CASE("an assignment that nobody joined lives for join_grace") {
  Ledger ledger;
  CHECK_FALSE(ledger.may_end("r", at(1h).service, grace));  // there is none
  assign(ledger, "r", "a", at(0s));
  CHECK_FALSE(ledger.may_end("r", at(grace - 1ms).service, grace));
  CHECK(ledger.may_end("r", at(grace).service, grace));
}

TEST_CASE("a pending assignment is not ended by anyone") {
  Ledger ledger;
  ledger.book("r", ledger.number_of("a"), "", at(0s));
  CHECK_FALSE(ledger.may_end("r", at(1h).service, grace));
  CHECK_FALSE(ledger.end_assignment("r"));
}

TEST_CASE("a session silent for dead_after is no user, and a new report brings it back") {
  Ledger ledger;
  assign(ledger, "r", "a", at(0s));
  ledger.enter("s", "r", {}, own, at(0s));
  ledger.expire(at(90s - 1ms).service, 90s, all);
  CHECK(ledger.find("r")->users == 1);
  ledger.expire(at(90s).service, 90s, all);
  CHECK(ledger.find("r")->users == 0);
  CHECK(ledger.sessions().silent() == 1);
  SECTION("it reports again") {
    CHECK(ledger.enter("s", "r", {}, own, at(91s)).entered);
    CHECK(ledger.find("r")->users == 1);
    CHECK(ledger.sessions().silent() == 0);
  }
  SECTION("it reports from elsewhere: no move, it was nowhere") {
    assign(ledger, "q", "a", at(0s));
    const auto entered = ledger.enter("s", "q", {}, own, at(91s));
    CHECK(entered.entered);
    CHECK_FALSE(entered.moved_from);
  }
  SECTION("it is removed") {
    CHECK(ledger.remove_expired(all) == std::vector<domain::RoomId>{"r"});
    CHECK(ledger.sessions().silent() == 0);
    CHECK(ledger.may_end("r", at(91s).service, grace));
  }
}

TEST_CASE("a keepalive keeps a session alive, in any order of reports") {
  Ledger ledger;
  for (const char* s : {"a", "b", "c"}) ledger.enter(s, "r", {}, own, at(0s));
  ledger.enter("a", "r", {}, own, at(60s));
  ledger.expire(at(90s).service, 90s, all);
  REQUIRE(ledger.sessions().live() == 1);
  ledger.leave("a", "r");
  CHECK(ledger.sessions().live() == 0);  // it was that one
}

TEST_CASE("a snapshot removes sessions that it does not list, except those that reported since") {
  Ledger ledger;
  for (const char* s : {"listed", "missing", "spoke"}) ledger.enter(s, "r", {}, own, at(0s));
  ledger.enter("spoke", "r", {}, own, at(8s));
  const auto arrived = at(10s);
  ledger.enter("listed", "r", {}, domain::Sessions::Report::snapshot, arrived);
  std::string after;
  const auto unlisted = ledger.remove_unlisted(arrived.service, at(5s).service, after, all);
  CHECK(unlisted.rooms == std::vector<domain::RoomId>{"r"});
  CHECK_FALSE(ledger.leave("missing", "r"));
  CHECK(ledger.leave("spoke", "r"));
  CHECK(ledger.leave("listed", "r"));
}

TEST_CASE("a snapshot removes sessions in slices, and comes to an end") {
  Ledger ledger;
  for (int i = 0; i < 10; ++i) ledger.enter(std::to_string(i), "r", {}, own, at(0s));
  ledger.enter("0", "r", {}, own, at(8s));  // stays
  std::size_t left = 0;
  int slices = 0;
  std::string after;
  for (bool more = true; more; ++slices) {
    const auto unlisted = ledger.remove_unlisted(at(10s).service, at(5s).service, after, 4);
    CHECK(unlisted.rooms.size() <= 4);
    left += unlisted.rooms.size();
    more = unlisted.more;
  }
  CHECK(left == 9);
  CHECK(slices == 3);
}

TEST_CASE("a slice of a snapshot looks at a bounded number of staying sessions, and at none twice") {
  Ledger ledger;
  for (int i = 0; i < 1000; ++i) ledger.enter(std::to_string(i), "r", {}, own, at(8s));
  int slices = 0;
  std::string after;
  while (ledger.remove_unlisted(at(10s).service, at(5s).service, after, 4).more) ++slices;
  CHECK(slices > 20);
  CHECK(slices < 250);
  CHECK(ledger.sessions().live() == 1000);
}

TEST_CASE("sessions that fall silent together expire, and are forgotten, in slices") {
  Ledger ledger;
  assign(ledger, "r", "a", at(0s));
  for (int i = 0; i < 10; ++i) ledger.enter(std::to_string(i), "r", "a", own, at(0s));
  CHECK(ledger.expire(at(90s).service, 90s, 4));
  CHECK(ledger.find("r")->users == 6);
  CHECK(ledger.expire(at(90s).service, 90s, 4));
  CHECK_FALSE(ledger.expire(at(90s).service, 90s, 4));
  CHECK(ledger.find("r")->users == 0);
  CHECK_FALSE(ledger.reported_gateway("r"));
  CHECK(ledger.remove_expired(7).size() == 7);
  CHECK(ledger.sessions().silent() == 3);
  CHECK(ledger.remove_expired(7).size() == 3);
  CHECK(ledger.find("r")->sessions == 0);
}

TEST_CASE("the sessions of one room are forgotten in slices, and no others") {
  Ledger ledger;
  for (int i = 0; i < 10; ++i) ledger.enter(std::to_string(i), i < 6 ? "r" : "q", "a", own, at(1s * i));
  ledger.expire(at(92s).service, 90s, all);  // three of them are silent
  CHECK(ledger.forget_sessions("r", 4) == 4);
  CHECK(ledger.find("r")->sessions == 2);
  CHECK(ledger.forget_sessions("r", 4) == 2);
  CHECK_FALSE(ledger.find("r"));
  CHECK(ledger.forget_sessions("r", 4) == 0);
  CHECK(ledger.find("q")->sessions == 4);
  CHECK(ledger.sessions().live() == 4);
  CHECK(ledger.sessions().silent() == 0);
}

TEST_CASE("live sessions are handed to the file in slices, each once") {
  Ledger ledger;
  for (int i = 0; i < 10; ++i) ledger.enter(std::to_string(i), "r", {}, own, at(1s * i));
  ledger.expire(at(92s).service, 90s, all);
  ledger.take_changes();
  std::set<std::string> noted;
  std::string after;
  int slices = 1;
  for (; ledger.note_sessions(after, 4); ++slices) {
  }
  for (const auto& change : ledger.take_changes()) noted.insert(std::get<domain::Session>(change).session_id);
  CHECK(noted.size() == 7);
  CHECK(slices == 3);
}

TEST_CASE("every session is fresh and every assignment just answered after a restart") {
  Ledger ledger;
  const domain::WallTime old = at(0s).wall - 1000h;
  ledger.restore({{"r", "a", "IL", old, old}, {"q", "b", "", old, old}}, {{"s", "r", "a", old}}, {}, at(0s));
  CHECK(rooms_on(ledger, "a") == 1);
  ledger.expire(at(89s).service, 90s, all);
  CHECK(ledger.find("r")->users == 1);
  CHECK_FALSE(ledger.may_end("q", at(grace - 1ms).service, grace));
  CHECK(ledger.may_end("q", at(grace).service, grace));
  CHECK(ledger.reported_gateway("r") == ledger.number_of("a"));
}

TEST_CASE("restored sessions count as excess users, too") {
  Ledger ledger;
  count_excess_users(ledger, 1);
  const domain::WallTime old = at(0s).wall;
  ledger.restore({{"r", "a", "", old, old}}, {{"s", "r", {}, old}, {"t", "r", {}, old}, {"u", "r", {}, old}}, {},
                 at(0s));
  CHECK(domain_test::excess_users_on(ledger, "a") == 2);
}

TEST_CASE("a difference is marked once for each session, wherever it moves") {
  Ledger ledger;
  ledger.enter("s", "r", {}, own, at(1s));
  CHECK(ledger.mark_first_difference("s"));
  CHECK_FALSE(ledger.mark_first_difference("s"));
  ledger.enter("s", "q", {}, own, at(2s));
  CHECK_FALSE(ledger.mark_first_difference("s"));
  CHECK_FALSE(ledger.mark_first_difference("nobody"));
}

TEST_CASE("the gateway that most sessions of a room report counts") {
  Ledger ledger;
  ledger.enter("s", "r", "a", own, at(0s));
  ledger.enter("t", "r", "b", own, at(0s));
  ledger.enter("u", "r", "b", own, at(0s));
  ledger.enter("v", "q", "a", own, at(0s));
  CHECK(ledger.reported_gateway("r") == ledger.number_of("b"));
  CHECK_FALSE(ledger.reported_gateway("x"));
}

TEST_CASE("the first by name of equally reported gateways counts, in whatever order they became known") {
  Ledger ledger;
  ledger.enter("1", "r", "b", own, at(0s));
  ledger.enter("2", "r", "a", own, at(0s));
  CHECK(ledger.reported_gateway("r") == ledger.number_of("a"));
}

TEST_CASE("a room's users above the average count as excess users of its gateway") {
  Ledger ledger;
  const auto excess_users = [&](const char* gateway) { return domain_test::excess_users_on(ledger, gateway); };
  const auto enter = [&](const domain::RoomId& room, int from, int to) {
    for (int i = from; i <= to; ++i) ledger.enter("s" + std::to_string(i), room, {}, own, at(1s * i));
  };
  assign(ledger, "r", "a", at(0s));
  assign(ledger, "q", "b", at(0s));
  CHECK(ledger.excess_users_by_gateway().empty());
  count_excess_users(ledger, 3);
  enter("r", 1, 3);
  CHECK(excess_users("a") == 0);
  enter("r", 4, 7);
  REQUIRE(excess_users("a") == 4);
  SECTION("they come again") {
    enter("r", 1, 7);
    CHECK(excess_users("a") == 4);
  }
  SECTION("one leaves") {
    ledger.leave("s7", "r");
    CHECK(excess_users("a") == 3);
  }
  SECTION("they go to another room") {
    enter("q", 1, 5);
    CHECK(excess_users("a") == 0);
    CHECK(excess_users("b") == 2);
  }
  SECTION("they fall silent, are removed, and one comes back") {
    ledger.expire(at(92s).service, 90s, all);
    CHECK(excess_users("a") == 2);
    ledger.remove_expired(all);
    CHECK(excess_users("a") == 2);
    enter("r", 2, 2);
    CHECK(excess_users("a") == 3);
  }
  SECTION("a snapshot does not list them") {
    std::string after;
    ledger.remove_unlisted(at(4s).service, at(4s).service, after, all);
    CHECK(excess_users("a") == 1);
  }
  SECTION("the room is to move: they count where it goes, and at once") {
    ledger.book("r", ledger.number_of("b"), "", at(8s));
    CHECK(excess_users("a") == 0);
    CHECK(excess_users("b") == 4);
    enter("r", 8, 8);
    SECTION("and back, if it fails") {
      ledger.withdraw("r");
      CHECK(excess_users("a") == 5);
      CHECK(excess_users("b") == 0);
    }
    SECTION("and elsewhere, if another holds it") {
      ledger.confirm("r", ledger.number_of("c"));
      CHECK(excess_users("b") == 0);
      CHECK(excess_users("c") == 5);
    }
  }
  SECTION("the assignment is released, with its users or without") {
    ledger.end_assignment("r");
    CHECK(excess_users("a") == 0);
    assign(ledger, "r", "b", at(9s));
    CHECK(excess_users("b") == 4);
    ledger.forget_sessions("r", all);
    CHECK(excess_users("b") == 0);
  }
  SECTION("the average changes") {
    count_excess_users(ledger, 6);
    CHECK(excess_users("a") == 1);
    count_excess_users(ledger, {});
    CHECK(ledger.excess_users_by_gateway().empty());
    enter("r", 8, 8);
    count_excess_users(ledger, 3);
    CHECK(excess_users("a") == 5);
  }
  SECTION("the average changes, and rooms change while they are counted anew") {
    enter("q", 11, 15);
    REQUIRE(ledger.count_excess_users(1));
    CHECK_FALSE(ledger.count_excess_users(1));
    domain::RoomId after;
    REQUIRE(ledger.recount_excess_users(after, 1));  // that was q
    CHECK(after == "q");
    enter("q", 16, 16);
    enter("r", 8, 8);
    ledger.recount_excess_users(after, 5);
    CHECK(excess_users("b") == 5);
    CHECK(excess_users("a") == 7);
  }
}

TEST_CASE("invariant 3: a gateway's load is the recount of its assignments, after any sequence of operations") {
  std::mt19937 dice(2171);
  const auto pick = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
  Ledger ledger;
  std::chrono::milliseconds now{0};
  std::optional<std::int64_t> average;
  for (int step = 0; step < 20000; ++step) {
    now += std::chrono::milliseconds{pick(3000)};
    const domain::RoomId room("r" + std::to_string(pick(12)));
    const std::string session = "s" + std::to_string(pick(40));
    const Ledger::Room* entry = ledger.find(room);
    ledger.expire(at(now).service, 90s, all);
    switch (pick(10)) {
      case 0:
        if (!entry || !entry->pending) ledger.book(room, ledger.number_of("g" + std::to_string(pick(4))), "", at(now));
        break;
      case 1:
        if (entry && entry->pending) ledger.confirm(room, ledger.number_of("g" + std::to_string(pick(4))));
        break;
      case 2:
        if (entry && entry->pending) ledger.withdraw(room);
        break;
      case 3:
        ledger.enter(session, room, {}, own, at(now));
        break;
      case 4:
        ledger.leave(session, room);
        if (ledger.may_end(room, at(now).service, grace)) ledger.end_assignment(room);
        break;
      case 5:
        ledger.remove_expired(all);
        break;
      case 6:
        ledger.end_assignment(room);
        break;
      case 7:
        if (pick(20) == 0) ledger.forget_sessions(room, all);
        break;
      case 8: {
        std::string after;
        ledger.remove_unlisted(at(now - 60s).service, at(now - 30s).service, after, 5);
        break;
      }
      case 9:
        if (pick(20) == 0) average = pick(3) > 0 ? std::optional<std::int64_t>(pick(4)) : std::nullopt;
        count_excess_users(ledger, average);
        break;
    }
    std::map<domain::GatewayId, std::int64_t> rooms, excess_users;
    std::size_t users = 0;
    for (const auto& [name, r] : ledger.rooms()) {
      if (r.held) ++rooms[r.held->gateway];
      const auto above = static_cast<std::int64_t>(r.users) - average.value_or(0);
      if (r.held && above > 0) excess_users[r.held->gateway] += above;
      users += r.users;
    }
    for (std::size_t g = 0; g < ledger.rooms_by_gateway().size(); ++g) {
      REQUIRE(ledger.rooms_by_gateway()[g] == rooms[domain::GatewayId(g)]);
      if (average) REQUIRE(ledger.excess_users_by_gateway()[g] == excess_users[domain::GatewayId(g)]);
    }
    REQUIRE(users == ledger.sessions().live());
  }
}

TEST_CASE("sessions with ids chosen to collide in a hash cost no more than other sessions") {
  constexpr std::size_t buckets = 5087;  // the size of libstdc++'s tables with some thousands of entries
  std::vector<std::string> chosen, usual;
  for (std::size_t number = 0; chosen.size() < 5000; ++number) {
    std::string id = std::to_string(number);
    if (std::hash<std::string_view>{}(id) % buckets == 0) chosen.push_back(std::move(id));
  }
  for (std::size_t number = 0; number < chosen.size(); ++number) usual.push_back(std::to_string(number * 5087));
  const auto time_to_enter = [](const std::vector<std::string>& ids) {
    auto best = std::chrono::nanoseconds::max();
    for (int look = 0; look < 3; ++look) {
      Ledger ledger;
      const auto began = tests::processor_time();
      for (const auto& id : ids) ledger.enter(id, "r", {}, own, at(0s));
      best = std::min(best, tests::processor_time() - began);
    }
    return best;
  };
  const auto with_usual = time_to_enter(usual), with_chosen = time_to_enter(chosen);
  CAPTURE(with_usual.count(), with_chosen.count());
  CHECK(with_chosen < with_usual * 4);
}
