#include "app/catalogue_sync.h"

#include "catch.h"

namespace {

const domain::WallTime now{std::chrono::hours{500000}};

domain::ConfiguredGateway gateway(const std::string& name, const std::string& url = "") {
  domain::ConfiguredGateway g;
  g.name = name;
  if (!url.empty()) g.url = url;
  g.where = "config.toml:" + name.substr(3);
  return g;
}

domain::ConfiguredRoom room(const domain::RoomId& uid, const std::string& default_gateway) {
  domain::ConfiguredRoom r;
  r.gateway_uid = uid;
  r.default_gateway = default_gateway;
  r.where = "config.toml:r" + uid.text();
  return r;
}

app::SyncPlan plan(const app::Configured& configured, const app::CatalogueRows& rows = {},
                   const std::set<std::string>& assigned = {}) {
  return app::plan_sync(configured, rows, assigned, now);
}

const domain::Room& room_in(const app::SyncPlan& p, const domain::RoomId& uid) {
  for (const auto& row : p.rows.rooms) {
    if (row.room.gateway_uid == uid) return row.room;
  }
  FAIL("no room " << uid);
  return p.rows.rooms.front().room;
}

const domain::Gateway& gateway_in(const app::SyncPlan& p, const std::string& name) {
  for (const auto& row : p.rows.gateways) {
    if (row.gateway.name == name) return row.gateway;
  }
  FAIL("no gateway " << name);
  return p.rows.gateways.front().gateway;
}

}  // namespace

TEST_CASE("configured gateways and rooms are inserted once, and a second sync writes nothing") {
  app::Configured c;
  c.gateways = {gateway("gxy1", "wss://1"), gateway("gxy2")};
  c.rooms = {room("2171", "gxy2"), room("hall", "gxy1")};
  const auto first = plan(c);
  CHECK(first.errors.empty());
  CHECK(first.changed_gateways.size() == 2);
  CHECK(first.changed_rooms.size() == 2);
  CHECK(room_in(first, "2171").id == domain::RowId{2171});  // the description's WHERE id = 2171
  CHECK(room_in(first, "hall").id == domain::RowId{2172});
  CHECK(room_in(first, "2171").default_gateway_id == gateway_in(first, "gxy2").id);
  CHECK(first.options.available_servers == std::vector<std::string>{"gxy1", "gxy2"});
  const auto second = plan(c, first.rows);
  CHECK_FALSE(second.writes());
  CHECK(second.warnings.empty());
}

TEST_CASE("a changed configured value is written; an operator's own value stays, with a warning") {
  app::Configured c;
  c.gateways = {gateway("gxy1", "wss://1"), gateway("gxy2", "wss://2")};
  c.rooms = {room("2171", "gxy1")};
  auto rows = plan(c).rows;
  rows.gateways[0].gateway.url = "wss://by-sql";
  rows.rooms[0].room.default_gateway_id = rows.gateways[1].gateway.id;
  c.gateways[1].url = "wss://new";
  const auto p = plan(c, rows);
  CHECK(gateway_in(p, "gxy1").url == "wss://by-sql");
  CHECK(gateway_in(p, "gxy2").url == "wss://new");
  CHECK(room_in(p, "2171").default_gateway_id == gateway_in(p, "gxy2").id);
  REQUIRE(p.warnings.size() == 2);
  CHECK(p.warnings[0].find(
            "config.toml:1: gateway \"gxy1\": url is \"wss://by-sql\" in the database and \"wss://1\"") == 0);
  CHECK(p.warnings[1].find("config.toml:r2171: room \"2171\": default_gateway_id is 2 in the database and 1") == 0);
  // When the configured value changes, it counts again.
  c.gateways[0].url = "wss://third";
  CHECK(gateway_in(plan(c, p.rows), "gxy1").url == "wss://third");
}

TEST_CASE("names in lists, regions, pins and standbys create bare gateways without [[gateways]]") {
  app::Configured c;
  c.options.available_servers = {{"a", "b"}};
  c.options.regions = {{"IL", {"c"}, ""}};
  c.options.pins = {{"1", "d", ""}};
  c.options.standby_servers = {"e"};
  const auto p = plan(c);
  CHECK(p.errors.empty());
  CHECK(p.rows.gateways.size() == 5);
  CHECK_FALSE(p.rows.gateways[0].from_config);
  CHECK_FALSE(plan(c, p.rows).writes());
}

TEST_CASE("an unknown name beside [[gateways]] is an error with a suggestion") {
  const auto refused = [](const std::string& text, auto set) {
    app::Configured c;
    c.gateways = {gateway("gxy1"), gateway("gxy2")};
    set(c.options);
    const auto p = plan(c);
    REQUIRE(p.errors.size() == 1);
    CHECK(p.errors[0] == text);
  };
  refused("environment: balancing.available_servers: there is no gateway \"gxy3\" (did you mean \"gxy1\"?)",
          [](domain::Options& o) {
            o.available_servers = {{"gxy3"}};
            o.available_where = "environment";
          });
  const auto set_region = [](domain::Options& o) { o.regions.push_back({"IL", {"gxy3"}, ".env:4"}); };
  refused(".env:4: regions.IL: there is no gateway \"gxy3\" (did you mean \"gxy1\"?)", set_region);
  const auto set_pin = [](domain::Options& o) { o.pins.push_back({"77", "nothing", "config.toml:9"}); };
  refused("config.toml:9: pins.77: there is no gateway \"nothing\"", set_pin);
  refused("config.toml:8: failover.standby_servers: there is no gateway \"gxy3\" (did you mean \"gxy1\"?)",
          [](domain::Options& o) {
            o.standby_servers = {"gxy3"};
            o.standby_where = "config.toml:8";
          });
}

TEST_CASE("a listed gateway of another type is an error, a disabled or draining one a warning") {
  app::Configured c;
  c.gateways = {gateway("gxy1"), gateway("gxy2"), gateway("gxy3")};
  c.gateways[0].type = "streaming";
  c.gateways[1].disabled = true;
  c.options.available_servers = {{"gxy1", "gxy2", "gxy3"}};
  const auto p = plan(c);
  REQUIRE(p.errors.size() == 1);
  CHECK(p.errors[0].find("gateway \"gxy1\" is of type \"streaming\"") != std::string::npos);
  REQUIRE(p.warnings.size() == 1);
  CHECK(p.warnings[0].find("gateway \"gxy2\" is disabled") != std::string::npos);
}

TEST_CASE("a room's unknown default gateway is an error, an unknown id is not") {
  app::Configured c;
  c.gateways = {gateway("gxy1")};
  c.rooms = {room("1", "gxy2")};
  CHECK(plan(c).errors ==
        std::vector<std::string>{
            "config.toml:r1: room \"1\": default_gateway: there is no gateway \"gxy2\" (did you mean \"gxy1\"?)"});
  c.rooms[0].default_gateway.reset();
  c.rooms[0].default_gateway_id = domain::RowId{999};
  const auto p = plan(c);
  CHECK(p.errors.empty());
  const auto catalogue = app::catalogue_of(p.rows);
  CHECK(app::rooms_without_gateway(*catalogue).size() == 1);
}

TEST_CASE("ids are kept for good, and an id configured for two rows is an error that names both") {
  app::Configured c;
  c.gateways = {gateway("gxy1")};
  c.rooms = {room("a", "gxy1"), room("b", "gxy1")};
  c.rooms[0].id = domain::RowId{5};
  auto p = plan(c);
  CHECK(room_in(p, "a").id == domain::RowId{5});
  const auto rows = p.rows;
  c.rooms[1].id = domain::RowId{5};
  p = plan(c, rows);
  REQUIRE(p.errors.size() == 1);
  CHECK(p.errors[0].find("config.toml:rb: room \"b\" cannot have id 5: ") == 0);
  c.rooms[1].id = domain::RowId{77};
  p = plan(c, rows);
  REQUIRE(p.errors.size() == 1);
  CHECK(p.errors[0] ==
        "config.toml:rb: room \"b\" cannot have id 77: it has id 6 in the database, and ids are kept for good; "
        "write that one, or none");
  c.rooms = {room("c", "gxy1")};
  c.rooms[0].id = domain::RowId{6};
  CHECK(plan(c, rows).errors.size() == 1);
  c.gateways.push_back(gateway("gxy2"));
  c.gateways[1].id = domain::RowId{1};
  CHECK(plan(c, rows).errors.size() == 2);
}

TEST_CASE("an id of another row is an error that names both rows") {
  app::Configured c;
  c.gateways = {gateway("gxy1")};
  c.rooms = {room("a", "gxy1")};
  c.rooms[0].id = domain::RowId{5};
  const auto rows = plan(c).rows;
  c.rooms.push_back(room("new", "gxy1"));
  c.rooms[1].id = domain::RowId{5};
  CHECK(plan(c, rows).errors ==
        std::vector<std::string>{
            "config.toml:rnew: room \"new\" cannot have id 5: room \"a\" has it; choose another id"});
}

TEST_CASE("an omitted field keeps the value of an imported or SQL row, and is the default in a new row") {
  app::CatalogueRows rows;
  rows.gateways.resize(1);
  rows.gateways[0].gateway.id = domain::RowId{9};
  rows.gateways[0].gateway.name = "gxy9";
  rows.gateways[0].gateway.url = "wss://nine";
  rows.gateways[0].gateway.capacity = 50;
  rows.rooms.resize(1);
  rows.rooms[0].room.id = domain::RowId{4};
  rows.rooms[0].room.gateway_uid = "777";
  rows.rooms[0].room.default_gateway_id = domain::RowId{9};
  app::Configured c;
  c.gateways = {gateway("gxy9")};
  c.rooms.resize(1);
  c.rooms[0].gateway_uid = "777";
  c.rooms[0].name = "Renamed";
  auto p = plan(c, rows);
  CHECK(gateway_in(p, "gxy9").url == "wss://nine");
  CHECK(gateway_in(p, "gxy9").capacity == 50);
  CHECK(room_in(p, "777").default_gateway_id == domain::RowId{9});
  CHECK(room_in(p, "777").name == "Renamed");
  CHECK_FALSE(plan(c, p.rows).writes());
  // A field that leaves the configuration falls back to its default.
  c.gateways[0].capacity = 70;
  p = plan(c, p.rows);
  CHECK(gateway_in(p, "gxy9").capacity == 70);
  c.gateways[0].capacity.reset();
  p = plan(c, p.rows);
  CHECK_FALSE(gateway_in(p, "gxy9").capacity.has_value());
  CHECK(gateway_in(p, "gxy9").url == "wss://nine");
}

TEST_CASE("an entry that an operator removed stays removed, with a warning") {
  app::Configured c;
  c.gateways = {gateway("gxy1"), gateway("gxy2")};
  c.rooms = {room("1", "gxy1")};
  auto rows = plan(c).rows;
  rows.rooms[0].room.removed = rows.gateways[1].gateway.removed = true;
  rows.rooms[0].removed_at = rows.gateways[1].removed_at = now;
  const auto p = plan(c, rows);
  CHECK(room_in(p, "1").removed);
  CHECK(gateway_in(p, "gxy2").removed);
  CHECK(p.warnings.size() == 2);
  CHECK_FALSE(p.writes());
}

TEST_CASE("names exchanged by SQL are a contradiction, and nothing is written until they are given back or confirmed") {
  app::Configured c;
  c.gateways = {gateway("gxy1", "wss://1"), gateway("gxy2", "wss://2")};
  c.rooms = {room("1", "gxy1"), room("2", "gxy2")};
  const auto rows = plan(c).rows;
  auto swapped = rows;
  std::swap(swapped.gateways[0].gateway.name, swapped.gateways[1].gateway.name);
  auto p = plan(c, swapped);
  REQUIRE(p.contradictions.size() == 2);
  CHECK(p.contradictions[0].find("config.toml:1: gateway \"gxy1\" has id 2 in the database now and had id 1, "
                                 "which is gateway \"gxy2\"; rooms keep their default_gateway_id") == 0);
  CHECK_FALSE(p.writes());
  CHECK(plan(c, p.rows).contradictions == p.contradictions);
  // A new room, or one that names another gateway by now, gets the gateway of that name.
  auto more = c;
  more.rooms.push_back(room("3", "gxy1"));
  CHECK(room_in(plan(more, p.rows), "3").default_gateway_id == domain::RowId{2});
  auto back = p.rows;
  std::swap(back.gateways[0].gateway.name, back.gateways[1].gateway.name);
  CHECK(plan(c, back).contradictions.empty());
  CHECK_FALSE(plan(c, back).writes());
  c.gateways[0].id = domain::RowId{2};
  c.gateways[1].id = domain::RowId{1};
  p = plan(c, p.rows);
  CHECK(p.errors.empty());
  CHECK(p.contradictions.empty());
  CHECK(room_in(p, "1").default_gateway_id == domain::RowId{2});
  CHECK(gateway_in(p, "gxy1").url == "wss://1");
  c.gateways[0].id.reset();
  c.gateways[1].id.reset();
  CHECK(plan(c, p.rows).contradictions.empty());
}

TEST_CASE("a type set by SQL is reported as a contradiction, also where the configuration leaves the type out") {
  for (const std::optional<std::string>& type : {std::optional<std::string>(), std::optional<std::string>("rooms")}) {
    app::Configured c;
    c.gateways = {gateway("gxy1"), gateway("gxy2")};
    c.gateways[0].type = type;
    auto rows = plan(c).rows;
    rows.gateways[0].gateway.type = "streaming";
    const auto p = plan(c, rows);
    CHECK(p.errors.empty());
    CHECK(p.contradictions == std::vector<std::string>{
                                  "config.toml:1: gateway \"gxy1\" is of type \"streaming\" in the database and "
                                  "\"rooms\" in the configuration; the database's value is kept until that is undone"});
    CHECK(p.warnings == p.contradictions);
    CHECK(gateway_in(p, "gxy1").type == "streaming");
    c.gateways[0].type = "streaming";
    CHECK(plan(c, rows).contradictions.empty());
  }
}

TEST_CASE("an explicit id goes before a decimal uid, and both go before a generated id") {
  app::Configured c;
  c.gateways = {gateway("gxy1")};
  c.rooms = {room("hall", "gxy1"), room("7", "gxy1"), room("x", "gxy1"), room("007", "gxy1")};
  c.rooms[2].id = domain::RowId{7};
  const auto p = plan(c);
  CHECK(p.errors.empty());
  CHECK(room_in(p, "x").id == domain::RowId{7});
  std::set<domain::RowId> ids;
  for (const auto& row : p.rows.rooms) ids.insert(row.room.id);
  CHECK(ids.size() == 4);
}

TEST_CASE("the largest id that a uid can claim leaves ids for other rows") {
  app::Configured c;
  c.gateways = {gateway("gxy1")};
  c.rooms = {room("9223372036854775807", "gxy1"), room("x", "gxy1"), room("y", "gxy1")};
  const auto p = plan(c);
  CHECK(room_in(p, "9223372036854775807").id == domain::RowId{9223372036854775807});
  CHECK(room_in(p, "x").id == domain::RowId{1});
  CHECK(room_in(p, "y").id == domain::RowId{2});
}

TEST_CASE("an entry that left the configuration is marked removed, unless it is in use") {
  app::Configured c;
  c.gateways = {gateway("gxy1"), gateway("gxy2"), gateway("gxy3"), gateway("gxy4")};
  c.rooms = {room("1", "gxy2"), room("2", "gxy1")};
  const auto rows = plan(c).rows;
  c.gateways.erase(c.gateways.begin() + 1, c.gateways.end());
  c.rooms[0].default_gateway.reset();
  c.rooms[0].default_gateway_id = domain::RowId{2};
  const auto p = plan(c, rows, {"gxy3"});
  CHECK(p.errors.empty());
  CHECK_FALSE(gateway_in(p, "gxy2").removed);  // a room's default gateway
  CHECK_FALSE(gateway_in(p, "gxy3").removed);  // has an assignment
  CHECK(gateway_in(p, "gxy4").removed);
  CHECK(p.options.available_servers == std::vector<std::string>{"gxy1"});
  c.rooms.pop_back();
  const auto later = plan(c, p.rows);
  CHECK(room_in(later, "2").removed);
  CHECK(gateway_in(later, "gxy3").removed);
  c.rooms.push_back(room("2", "gxy1"));
  c.gateways.push_back(gateway("gxy4"));
  const auto back = plan(c, later.rows);
  CHECK_FALSE(room_in(back, "2").removed);
  CHECK_FALSE(gateway_in(back, "gxy4").removed);
  CHECK(gateway_in(back, "gxy4").id == domain::RowId{4});
}

TEST_CASE("rows that came by import or SQL stay") {
  app::CatalogueRows rows;
  rows.gateways.resize(1);
  rows.gateways[0].gateway.id = domain::RowId{9};
  rows.gateways[0].gateway.name = "by-sql";
  rows.rooms.resize(1);
  rows.rooms[0].room.id = domain::RowId{4};
  rows.rooms[0].room.gateway_uid = "imported";
  app::Configured c;
  c.gateways = {gateway("gxy1")};
  const auto p = plan(c, rows);
  CHECK_FALSE(gateway_in(p, "by-sql").removed);
  CHECK_FALSE(room_in(p, "imported").removed);
  CHECK(p.options.available_servers == std::vector<std::string>{"gxy1"});  // it gets no new rooms
}
