#include "app/decision_log.h"

#include "app/fail_over.h"
#include "app/lone_sidecar.h"
#include "app/release_room.h"
#include "catch.h"
#include "logging/log.h"

using app::DecisionLog;
using app::DecisionRecord;

namespace {

DecisionRecord placing(const std::string& room) {
  DecisionRecord record;
  record.room = domain::RoomId(room);
  record.gateway = "gxy1";
  return record;
}

DecisionRecord refusal(const std::string& room, domain::Refusal why, int second = 0) {
  DecisionRecord record;
  record.room = domain::RoomId(room);
  record.refusal = why;
  record.time = domain::WallTime{std::chrono::seconds{second}};
  return record;
}

// "room: gateway reason asker" of the newest, or the code of a refusal in place of the gateway.
std::string line(const DecisionLog::Found& found) {
  const DecisionRecord& record = *found.record;
  return record.room.text() + ": " +
         record.gateway.value_or(std::string(record.refusal ? code_of(*record.refusal) : "")) + " " +
         std::string(to_text(record.reason)) + " " + std::string(to_text(record.asker));
}

std::string newest(LoneSidecar& sidecar, const std::string& room = "") {
  const auto page = sidecar.registry->decision_log().newest(domain::RoomId(room), 1, std::nullopt);
  return page.items.empty() ? "" : line(page.items.front());
}

std::size_t count(LoneSidecar& sidecar, const std::string& room = "") {
  return sidecar.registry->decision_log().newest(domain::RoomId(room), 1000, std::nullopt).items.size();
}

}  // namespace

TEST_CASE("each placement is recorded with the state of every gateway at that moment") {
  LoneSidecar sidecar;
  sidecar.ask("1", "il");
  sidecar.ask("2");
  const auto page = sidecar.registry->decision_log().newest("2", 10, std::nullopt);
  REQUIRE(page.items.size() == 1);
  const DecisionRecord& record = *page.items[0].record;
  CHECK(line(page.items[0]) == "2: gxy2 assigned user");
  CHECK(record.country.empty());
  const auto candidates = record.candidates.verdicts();
  REQUIRE(candidates.size() == 4);
  CHECK(candidates[0].name == "gxy1");
  CHECK(candidates[0].load == 10);
  CHECK(candidates[0].capacity == 400);
  CHECK(candidates[0].verdict == "higher_load");
  CHECK(candidates[1].verdict == "chosen");
  CHECK(candidates[1].load == 0);
  CHECK(sidecar.registry->decision_log().newest("1", 10, std::nullopt).items[0].record->country == "IL");
}

TEST_CASE("a sticky answer is no decision") {
  LoneSidecar sidecar;
  for (int i = 0; i < 100; ++i) sidecar.ask("1");
  sidecar.report("1", "a");
  CHECK(count(sidecar) == 1);
}

TEST_CASE("a decision names its requester") {
  LoneSidecar sidecar;
  sidecar.report("1", "a");
  CHECK(newest(sidecar) == "1: gxy1 assigned session");
  sidecar.report("2", "b", "gxy3");
  CHECK(newest(sidecar) == "2: gxy3 assigned adoption");
  sidecar.execute("UPDATE gateways SET disabled = 0");
  sidecar.keeper->set_draining("gxy3", domain::Draining::and_evacuating);
  app::fail_over(*sidecar.registry, [] { return false; });
  CHECK(newest(sidecar) == "2: gxy2 reassigned mover");
  CHECK(sidecar.registry->decision_log().newest("2", 1, std::nullopt).items[0].record->left == "gxy3");
}

TEST_CASE("a placement that could not be made durable is recorded once, as a refusal") {
  LoneSidecar sidecar;
  sidecar.lock_file();
  CHECK(sidecar.ask("1") == "storage_unavailable");
  sidecar.let_claims_end();
  CHECK(sidecar.ask("1") == "storage_unavailable");
  sidecar.let_claims_end();
  sidecar.unlock_file();
  const auto page = sidecar.registry->decision_log().newest("1", 10, std::nullopt);
  REQUIRE(page.items.size() == 1);
  CHECK(page.items[0].record->times == 2);
  CHECK(page.items[0].record->refusal == domain::Refusal::storage_unavailable);
  CHECK(!page.items[0].record->gateway);
}

TEST_CASE("a refusal during a hanging commit is recorded at once, and the claim's later failure is not") {
  LoneSidecar sidecar;
  sidecar.lock_file();
  CHECK(sidecar.ask("1") == "storage_unavailable");
  CHECK(newest(sidecar, "1") == "1: storage_unavailable assigned user");
  sidecar.let_claims_end();
  sidecar.unlock_file();
  const auto page = sidecar.registry->decision_log().newest("1", 10, std::nullopt);
  REQUIRE(page.items.size() == 1);
  CHECK(page.items[0].record->times == 1);
}

TEST_CASE("a claim that its caller gave up is recorded as one refusal, and as a placement if it is granted later") {
  app::Claim claim;
  CHECK(!claim.give_up());  // the decision is not described yet
  CHECK(!claim.describe(placing("1")));
  const auto refused = claim.give_up();
  REQUIRE(refused);
  CHECK(refused->refusal == domain::Refusal::storage_unavailable);
  CHECK(!refused->gateway);
  CHECK(!claim.give_up());
  const auto placed = claim.conclude("gxy2");
  REQUIRE(placed);
  CHECK(placed->gateway == "gxy2");
  CHECK(!placed->refusal);
  CHECK(!claim.give_up());

  app::Claim failing;
  failing.describe(placing("1"));
  CHECK(failing.give_up());
  CHECK(!failing.conclude(std::nullopt));
}

TEST_CASE("an operator's release is recorded with the gateway that the room left") {
  LoneSidecar sidecar;
  sidecar.ask("1");
  sidecar.report("1", "a");
  CHECK(app::release_room(*sidecar.registry, "1", false) == app::Released::occupied);
  CHECK(count(sidecar) == 1);
  CHECK(app::release_room(*sidecar.registry, "1", true) == app::Released::done);
  const auto page = sidecar.registry->decision_log().newest("1", 10, std::nullopt);
  REQUIRE(page.items.size() == 2);
  const DecisionRecord& record = *page.items[0].record;
  CHECK(record.left == "gxy1");
  CHECK(!record.gateway);
  CHECK(!record.refusal);
  CHECK(to_text(record.asker) == "operator");
}

TEST_CASE("a refusal because of a pin names the pin's gateway, whatever other gateways could take") {
  LoneSidecar sidecar;
  sidecar.configured.options.pins = {{"1", "gxy2", ""}};
  sidecar.reload(sidecar.configured);
  sidecar.execute("UPDATE gateways SET disabled = 1 WHERE name = 'gxy2'");
  sidecar.keeper->refresh();
  CHECK(sidecar.ask("1") == "no_gateway_available");
  CHECK(newest(sidecar, "1") == "1: no_gateway_available pinned user");
  const auto candidates =
      sidecar.registry->decision_log().newest("1", 1, std::nullopt).items[0].record->candidates.verdicts();
  REQUIRE(candidates.size() == 1);
  CHECK(candidates[0].name == "gxy2");
  CHECK(candidates[0].verdict == "disabled");
}

TEST_CASE("refusals are recorded in either mode") {
  LoneSidecar sidecar;
  sidecar.ask("none");
  sidecar.report("nor", "a");
  CHECK(newest(sidecar, "none") == "none: room_not_found sticky user");
  CHECK(newest(sidecar, "nor") == "nor: room_not_found sticky session");
  sidecar.configured.options.scale = false;
  sidecar.reload(sidecar.configured);
  sidecar.execute("UPDATE rooms SET default_gateway_id = 999 WHERE gateway_uid = '7'");
  sidecar.keeper->refresh();
  CHECK(newest(sidecar, "7") == "7: gateway_not_found default configuration");
  sidecar.ask("7");
  CHECK(newest(sidecar, "7") == "7: gateway_not_found default user");
}

TEST_CASE("a changed default gateway is a decision in legacy mode, and an answer is none") {
  LoneSidecar sidecar;
  sidecar.configured.options.scale = false;
  sidecar.reload(sidecar.configured);
  sidecar.ask("7");
  CHECK(count(sidecar) == 0);
  sidecar.execute(
      "UPDATE rooms SET default_gateway_id = (SELECT id FROM gateways WHERE name = 'gxy3') "
      "WHERE gateway_uid = '7'");
  sidecar.keeper->refresh();
  CHECK(count(sidecar) == 1);
  CHECK(newest(sidecar, "7") == "7: gxy3 default configuration");
  CHECK(sidecar.registry->decision_log().newest("7", 1, std::nullopt).items[0].record->left == "gxy1");
}

TEST_CASE("ten thousand decisions are kept, and refusals displace no placement") {
  DecisionLog decisions;
  for (int i = 0; i < 10'050; ++i) decisions.add(placing(std::to_string(i)));
  for (int i = 0; i < 5'000; ++i) {
    decisions.add(refusal("u" + std::to_string(i), domain::Refusal::room_not_found));
    decisions.add(refusal(std::to_string(i), domain::Refusal::capacity_exhausted));
  }
  CHECK(decisions.newest("", 100'000, std::nullopt).items.size() == 10'000 + 1'000 + 200);
  CHECK(decisions.newest("49", 1, std::nullopt).items.empty());
  CHECK(decisions.newest("50", 1, std::nullopt).items.size() == 1);
}

TEST_CASE("decisions are bounded in bytes") {
  DecisionLog decisions;
  for (int i = 0; i < 10'000; ++i) {
    DecisionRecord record = placing(std::to_string(i) + std::string(200, 'x'));
    record.candidates = app::Candidates(
        std::vector<domain::Verdict>(app::Candidates::most, {std::string(200, 'g'), 10, 400, "higher_load"}), 0);
    decisions.add(std::move(record));
  }
  const auto all = decisions.newest("", 100'000, std::nullopt);
  std::size_t bytes = 0;
  for (const auto& found : all.items) bytes += found.record->bytes();
  CHECK(bytes <= DecisionLog::most_bytes);
  CHECK(bytes > DecisionLog::most_bytes / 2);
}

TEST_CASE("a repeated refusal is one entry with a count, and becomes the newest again") {
  DecisionLog decisions;
  for (int i = 0; i < 50; ++i) decisions.add(refusal("1", domain::Refusal::capacity_exhausted, i));
  decisions.add(placing("2"));
  decisions.add(refusal("1", domain::Refusal::no_gateway_available, 60));
  decisions.add(refusal("1", domain::Refusal::capacity_exhausted, 70));
  const auto page = decisions.newest("", 10, std::nullopt);
  REQUIRE(page.items.size() == 3);
  const DecisionRecord& first = *page.items[0].record;
  CHECK(first.refusal == domain::Refusal::capacity_exhausted);
  CHECK(first.times == 51);
  CHECK(first.since == domain::WallTime{});
  CHECK(first.time == domain::WallTime{std::chrono::seconds{70}});
}

TEST_CASE("pages of decisions go from the newest to the oldest, each decision once") {
  DecisionLog decisions;
  for (int i = 0; i < 10; ++i) {
    decisions.add(placing(std::to_string(i)));
    decisions.add(refusal("r" + std::to_string(i), domain::Refusal::room_not_found));
  }
  std::optional<std::uint64_t> before;
  std::string rooms;
  for (bool more = true; more;) {
    const auto page = decisions.newest("", 7, before);
    for (const auto& found : page.items) rooms += found.record->room.text() + " ";
    before = page.items.back().id;
    more = page.more;
  }
  CHECK(rooms == "r9 9 r8 8 r7 7 r6 6 r5 5 r4 4 r3 3 r2 2 r1 1 r0 0 ");
}

TEST_CASE("a decision in a large fleet keeps the chosen gateway and some others") {
  app::Configured large;
  large.options.scale = true;
  large.options.unknown_rooms = domain::UnknownRooms::accept;
  for (int i = 0; i < 300; ++i) {
    domain::ConfiguredGateway gateway;
    gateway.name = "gxy" + std::to_string(i);
    large.gateways.push_back(gateway);
  }
  LoneSidecar sidecar(large);
  for (int i = 0; i < 100; ++i) sidecar.ask("r" + std::to_string(i));
  const auto page = sidecar.registry->decision_log().newest("r99", 1, std::nullopt);
  const auto candidates = page.items[0].record->candidates.verdicts();
  REQUIRE(candidates.size() == app::Candidates::most_of_many);
  CHECK(candidates.back().name == "gxy99");
  CHECK(candidates.back().verdict == "chosen");
  CHECK(page.items[0].record->candidates.left_out() == 300 - app::Candidates::most_of_many);
}
