#include "cli/import_plan.h"

#include "catch.h"

namespace {

using cli::plan_import;
using cli::RoomEntry;

store::GatewayRow gateway(std::int64_t id, const std::string& name) {
  store::GatewayRow row;
  row.gateway.id = domain::RowId(id);
  row.gateway.name = name;
  return row;
}

store::RoomRow room(std::int64_t id, const domain::RoomId& uid, std::int64_t gateway_id) {
  store::RoomRow row;
  row.room.id = domain::RowId(id);
  row.room.gateway_uid = uid;
  row.room.name = "old";
  row.room.default_gateway_id = domain::RowId(gateway_id);
  return row;
}

RoomEntry entry(int line, const domain::RoomId& uid, const std::string& gateway_name,
                std::optional<domain::RowId> id = {}, std::optional<std::string> name = {}) {
  return {"line " + std::to_string(line), uid, id, std::move(name), gateway_name, static_cast<std::size_t>(line)};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::vector<store::GatewayRow> kGateways{gateway(1, "gxy1"), gateway(2, "gxy2")};

}  // namespace

TEST_CASE("new rooms are added, changed rooms updated, and equal rooms left alone") {
  const std::vector<store::RoomRow> rooms{room(5, "a", 1), room(6, "b", 1), room(7, "c", 1)};
  const auto plan = plan_import({entry(2, "a", "gxy2"), entry(3, "b", "gxy1"),
                                 entry(4, "c", "gxy1", domain::RowId{7}, "new"), entry(5, "d", "gxy2")},
                                kGateways, rooms, false);
  CHECK(plan.problems.empty());
  CHECK(plan.added == 1);
  CHECK(plan.updated == 2);
  CHECK(plan.unchanged == 1);
  REQUIRE(plan.rooms.size() == 3);
  CHECK(plan.rooms[0].room.id == domain::RowId{5});
  CHECK(plan.rooms[0].room.default_gateway_id == domain::RowId{2});
  CHECK(plan.rooms[0].room.name == "old");  // not given: kept
  CHECK(plan.rooms[1].room.name == "new");
  CHECK(plan.rooms[2].room.gateway_uid == "d");
  CHECK(plan.rooms[2].room.id == domain::RowId{8});
  CHECK(plan.rooms[2].room.name.empty());
}

TEST_CASE("a new room's id is the given one, else its decimal uid if free, else the next free id") {
  const std::vector<store::RoomRow> rooms{room(2172, "x", 1)};
  const auto plan =
      plan_import({entry(2, "2171", "gxy1"), entry(3, "2172", "gxy1"), entry(4, "abc", "gxy1"), entry(5, "30", "gxy1"),
                   entry(6, "007", "gxy1"), entry(7, "y", "gxy1", domain::RowId{30}), entry(8, "0", "gxy1"),
                   entry(9, "18446744073709551615", "gxy1")},
                  kGateways, rooms, false);
  CHECK(plan.problems.empty());
  REQUIRE(plan.rooms.size() == 8);
  CHECK(plan.rooms[0].room.id == domain::RowId{2171});
  CHECK(plan.rooms[1].room.id == domain::RowId{2173});  // 2172 is x's
  CHECK(plan.rooms[2].room.id == domain::RowId{2174});
  CHECK(plan.rooms[3].room.id == domain::RowId{2175});  // 30 is y's explicit id
  CHECK(plan.rooms[4].room.id == domain::RowId{2176});  // 007 is not how 7 is written
  CHECK(plan.rooms[5].room.id == domain::RowId{30});
  CHECK(plan.rooms[6].room.id == domain::RowId{2177});
  CHECK(plan.rooms[7].room.id == domain::RowId{2178});
}

TEST_CASE("a room with the highest id as its uid leaves ids for others") {
  const auto plan = plan_import({entry(2, "9223372036854775807", "gxy1"), entry(3, "a", "gxy1")}, kGateways,
                                {room(1, "x", 1)}, false);
  CHECK(plan.problems.empty());
  REQUIRE(plan.rooms.size() == 2);
  CHECK(plan.rooms[0].room.id == domain::RowId{9223372036854775807});
  CHECK(plan.rooms[1].room.id == domain::RowId{2});
}

TEST_CASE("an import brings a removed room back, and the room stays without being configured") {
  auto removed = room(5, "a", 1);
  removed.room.removed = true;
  removed.removed_at = domain::WallTime{std::chrono::milliseconds{1}};
  removed.from_config = true;
  removed.synced.emplace();
  const auto plan = plan_import({entry(2, "a", "gxy1")}, kGateways, {removed}, false);
  REQUIRE(plan.rooms.size() == 1);
  CHECK(plan.updated == 1);
  CHECK(plan.rooms[0].room.id == domain::RowId{5});
  CHECK_FALSE(plan.rooms[0].removed_at);
  CHECK_FALSE(plan.rooms[0].room.removed);
  CHECK_FALSE(plan.rooms[0].from_config);
}

TEST_CASE("a known room stays disabled, and keeps its synced values") {
  auto known = room(5, "a", 1);
  known.room.disabled = true;
  known.from_config = true;
  known.synced.emplace();
  const auto plan = plan_import({entry(2, "a", "gxy2")}, kGateways, {known}, false);
  REQUIRE(plan.rooms.size() == 1);
  CHECK(plan.rooms[0].room.disabled);
  CHECK(plan.rooms[0].from_config);
  CHECK(plan.rooms[0].synced.has_value());
}

TEST_CASE("an unknown gateway is an error, or is created once on request") {
  const std::vector<RoomEntry> entries{entry(2, "a", "gxy3"), entry(3, "b", "gxy3"), entry(4, "c", "gxy1")};
  const auto refused = plan_import(entries, kGateways, {}, false);
  REQUIRE(refused.problems.size() == 2);
  CHECK(contains(refused.problems[0].text, "line 2: there is no gateway \"gxy3\" (did you mean \"gxy"));
  CHECK(contains(refused.problems[1].text, "line 3"));

  const auto plan = plan_import(entries, kGateways, {}, true);
  CHECK(plan.problems.empty());
  REQUIRE(plan.gateways.size() == 1);
  CHECK(plan.gateways[0].gateway.name == "gxy3");
  CHECK(plan.gateways[0].gateway.id == domain::RowId{3});
  CHECK_FALSE(plan.gateways[0].from_config);
  CHECK(plan.rooms[0].room.default_gateway_id == domain::RowId{3});
  CHECK(plan.rooms[1].room.default_gateway_id == domain::RowId{3});
}

TEST_CASE("a removed gateway counts as unknown, and comes back under its old id") {
  auto removed = gateway(9, "gxy9");
  removed.gateway.removed = true;
  removed.removed_at = domain::WallTime{};
  removed.from_config = true;
  const auto refused = plan_import({entry(2, "a", "gxy9")}, {removed}, {}, false);
  REQUIRE(refused.problems.size() == 1);
  const auto plan = plan_import({entry(2, "a", "gxy9")}, {removed}, {}, true);
  REQUIRE(plan.gateways.size() == 1);
  CHECK(plan.gateways[0].gateway.id == domain::RowId{9});
  CHECK_FALSE(plan.gateways[0].removed_at);
  CHECK_FALSE(plan.gateways[0].from_config);
}

TEST_CASE("contradictions with the database are reported in the order of the list, with both names") {
  auto streaming = gateway(3, "stream1");
  streaming.gateway.type = "streaming";
  auto disabled = gateway(4, "gxy4");
  disabled.gateway.disabled = true;
  const std::vector<store::RoomRow> rooms{room(5, "a", 1), room(6, "b", 1)};
  const auto plan =
      plan_import({entry(2, "x", "stream1"), entry(3, "a", "gxy1", domain::RowId{8}),
                   entry(4, "y", "gxy1", domain::RowId{6}), entry(5, "z", "gxy4"), entry(6, "zz", "gxy4")},
                  {gateway(1, "gxy1"), streaming, disabled}, rooms, true);
  REQUIRE(plan.problems.size() == 3);
  CHECK(contains(plan.problems[0].text, "line 2: gateway \"stream1\" is of type \"streaming\""));
  CHECK(contains(plan.problems[1].text, "line 3: room \"a\" has id 5"));
  CHECK(contains(plan.problems[2].text, "line 4: room \"y\" cannot have id 6: room \"b\" has it"));
  REQUIRE(plan.warnings.size() == 1);
  CHECK(contains(plan.warnings[0], "line 5: gateway \"gxy4\" is disabled"));
}

TEST_CASE("an entry without a default gateway leaves a known room's as it is, and a new room's empty") {
  std::vector<RoomEntry> entries{entry(2, "new", ""), entry(3, "a", "", {}, "renamed"), entry(4, "c", "gxy1"),
                                 entry(5, "b", "")};
  const auto plan = plan_import(entries, kGateways, {room(5, "a", 2), room(6, "b", 1)}, false);
  CHECK(plan.problems.empty());
  REQUIRE(plan.rooms.size() == 3);
  CHECK_FALSE(plan.rooms[0].room.default_gateway_id);
  CHECK(plan.rooms[1].room.default_gateway_id == domain::RowId{2});
  CHECK(plan.rooms[1].room.name == "renamed");
  CHECK(plan.unchanged == 1);
  REQUIRE(plan.warnings.size() == 2);
  CHECK(contains(plan.warnings[0], "line 2: no default_gateway; a new room has none"));
  CHECK(contains(plan.warnings[1], "line 3, line 5: no default_gateway; a known room keeps"));

  entries.clear();
  for (int line = 2; line < 20; ++line) entries.push_back(entry(line, domain::RoomId(std::to_string(line)), ""));
  const auto many = plan_import(entries, kGateways, {}, true);
  CHECK(many.gateways.empty());
  REQUIRE(many.warnings.size() == 1);
  CHECK(contains(many.warnings[0], "line 2, line 3, line 4, line 5, line 6 and 13 more: no default_gateway"));
}
