#include "cluster/values.h"

#include <chrono>
#include <string>

#include "catch.h"

using namespace std::chrono_literals;
using namespace cluster;

namespace {

const domain::WallTime time_of_day{1'800'000'000'123ms};

const std::string not_objects[] = {"",   "null", "[]", "\"gxy1\"", "7", "{", "{\"gateway\":", std::string("\0", 1),
                                   "{}x"};

}  // namespace

TEST_CASE("an assignment is read back as it was written") {
  const std::string region = GENERATE("IL", "pinned", "");
  const RoomValue value{{"room/1", "gxy \"1\"", region, time_of_day, time_of_day + 1h}, "sidecar", "sidecar-x-1"};
  const auto read = room_value_from("room/1", to_text(value));
  REQUIRE(read);
  CHECK(read->row.room_id == "room/1");
  CHECK(read->row.gateway_name == "gxy \"1\"");
  CHECK(read->row.region == region);
  CHECK(read->row.assigned_at == time_of_day);
  CHECK(read->row.last_used_at == time_of_day);  // is not shared
  CHECK(read->by == "sidecar");
  CHECK(read->id == "sidecar-x-1");
}

TEST_CASE("unknown fields that a newer sidecar wrote about a room are passed over") {
  const auto read = room_value_from("r", R"({"new":{"gateway":"x"},"gateway":"gxy1","at":"2026-11-26T23:00:00.000Z",
    "region":"IL","by":"s","id":"s-1","newer":[1,2]})");
  REQUIRE(read);
  CHECK(read->row.gateway_name == "gxy1");
  CHECK(read->id == "s-1");
}

TEST_CASE("an unusable assignment counts as none") {
  for (const std::string& text : not_objects) {
    INFO(text);
    CHECK_FALSE(room_value_from("r", text));
  }
  for (const std::string text :
       {R"({})", R"({"gateway":"gxy1"})", R"({"at":"2026-11-26T23:00:00.000Z"})",
        R"({"gateway":"","at":"2026-11-26T23:00:00.000Z"})", R"({"gateway":7,"at":"2026-11-26T23:00:00.000Z"})",
        R"({"gateway":"gxy1","at":"yesterday"})", R"({"gateway":"gxy1","at":1800000000})",
        R"({"gateway":"a\nb","at":"2026-11-26T23:00:00.000Z"})"}) {
    INFO(text);
    CHECK_FALSE(room_value_from("r", text));
  }
  const std::string good = R"({"gateway":"gxy1","at":"2026-11-26T23:00:00.000Z"})";
  CHECK(room_value_from("r", good));
  CHECK_FALSE(room_value_from("a\nb", good));
  CHECK_FALSE(room_value_from("", good));
}

TEST_CASE("a tombstone is read back with its gateway and its cause") {
  const auto why = GENERATE(Tombstone::Why::empty, Tombstone::Why::released, Tombstone::Why::forced);
  const auto read = tombstone_from(to_text(Tombstone{"gxy1", why, "s-1"}));
  REQUIRE(read);
  CHECK(read->gateway == "gxy1");
  CHECK(read->why == why);
  CHECK(read->id == "s-1");
}

TEST_CASE("an unreadable tombstone is passed over") {
  for (const std::string& text : not_objects) {
    INFO(text);
    CHECK_FALSE(tombstone_from(text));
  }
  CHECK_FALSE(tombstone_from("{}"));
  CHECK_FALSE(tombstone_from(R"({"gateway":""})"));
  CHECK(tombstone_from(R"({"gateway":"gxy1","more":1})"));
}

TEST_CASE("a sidecar's value is read back as it was written") {
  const auto read = sidecar_value_from(to_text(SidecarValue{"host", "10.0.0.1:8080", "1.2", "abc", time_of_day}));
  REQUIRE(read);
  CHECK(read->name == "host");
  CHECK(read->address == "10.0.0.1:8080");
  CHECK(read->version == "1.2");
  CHECK(read->instance == "abc");
  CHECK(read->since == time_of_day);
  for (const std::string& text : not_objects) CHECK_FALSE(sidecar_value_from(text));
  CHECK_FALSE(sidecar_value_from(R"({"name":"host"})"));
  CHECK(sidecar_value_from(R"({"since":"2026-11-26T23:00:00.000Z","more":{}})"));
}

TEST_CASE("a gateway's draining is read back as it was written") {
  const auto draining = GENERATE(domain::Draining::no, domain::Draining::yes, domain::Draining::and_evacuating);
  CHECK(draining_from(to_text(draining)) == draining);
  for (const std::string& text : not_objects) CHECK_FALSE(draining_from(text));
  CHECK_FALSE(draining_from(R"({"draining":"perhaps"})"));
  CHECK_FALSE(draining_from(R"({"draining":true})"));
  CHECK(draining_from(R"({"draining":"move","more":1})") == domain::Draining::and_evacuating);
}

TEST_CASE("a failover is read back with its standby, or with none") {
  CHECK(failover_value_from(to_text(FailoverValue{"gxy2", "s"}))->standby == "gxy2");
  const auto without = failover_value_from(to_text(FailoverValue{}));
  REQUIRE(without);
  CHECK_FALSE(without->standby);
  for (const std::string& text : not_objects) CHECK_FALSE(failover_value_from(text));
}

TEST_CASE("a use mark is read back as written, and one of an older sidecar counts as one user") {
  const auto read = [](std::string_view text) {
    const UseMark value = use_mark_from(text);
    return (value.use == domain::Use::live ? "live " : "kept ") + std::to_string(value.users);
  };
  CHECK(read(to_text(UseMark{domain::Use::live, 12})) == "live 12");
  CHECK(read(to_text(UseMark{domain::Use::live, 0})) == "live 0");
  CHECK(read(to_text(UseMark{domain::Use::kept, 0})) == "kept 0");
  for (const char* text : {"live", "", "live -1", "live 1x", "live 99999999999999999999", "whatever"}) {
    INFO(text);
    CHECK(read(text) == "live 1");
  }
  CHECK(read("live 9000000000000000000") == "live 1000000000");
}
