#include "cluster/keys.h"

#include <set>
#include <string>
#include <vector>

#include "catch.h"

using cluster::KeyKind;
using cluster::Keys;

namespace {

const Keys keys("/room-sidecar/");

// Allowed ids, and a few that would be confused if names were not encoded.
const std::vector<domain::RoomId> ids{"a",       "a/b", "a%2Fb", "a%252Fb", "/",   "%",     "%2F",  "a.b",
                                      "...",     "a b", "~",     "-_",      "use", "use/x", "room", "beat",
                                      "a/use/b", "a0",  "שלום",  "чат/1",   "a:b", "A",     "a+b",  "🎥"};

bool is_followed(const std::string& key) { return key >= keys.first_followed() && key < keys.last_followed(); }

}  // namespace

TEST_CASE("every byte of a name is read back from its key") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    const domain::RoomId one(std::string(1, static_cast<char>(byte)));
    all += one.text();
    const auto parsed = keys.parse(keys.room(one));
    INFO("byte " << byte);
    REQUIRE(parsed);
    CHECK(parsed->kind == KeyKind::room);
    CHECK(parsed->room == one);
    CHECK(keys.room(one).find('/', std::string("/room-sidecar/room/").size()) == std::string::npos);
  }
  const auto parsed = keys.parse(keys.use(domain::RoomId(all), all));
  REQUIRE(parsed);
  CHECK(parsed->room.text() == all);
  CHECK(parsed->sidecar == all);
}

TEST_CASE("each kind of key is parsed into its kind and its names") {
  CHECK(keys.parse(keys.heartbeat())->kind == KeyKind::heartbeat);
  for (const auto& id : ids) {
    INFO(id);
    const std::vector<std::pair<std::string, cluster::ParsedKey>> made{
        {keys.failover(id), {KeyKind::failover, id.text(), {}, {}}},
        {keys.gateway(id), {KeyKind::gateway, id.text(), {}, {}}},
        {keys.tombstone(id), {KeyKind::tombstone, {}, id, {}}},
        {keys.room(id), {KeyKind::room, {}, id, {}}},
        {keys.sidecar(id), {KeyKind::sidecar, id.text(), {}, {}}}};
    for (const auto& [key, wanted] : made) {
      const auto parsed = keys.parse(key);
      REQUIRE(parsed);
      CHECK(parsed->kind == wanted.kind);
      CHECK(parsed->name == wanted.name);
      CHECK(parsed->room == wanted.room);
      CHECK(parsed->sidecar.empty());
    }
    const auto use = keys.parse(keys.use(id, "s/1"));
    REQUIRE(use);
    CHECK(use->kind == KeyKind::use);
    CHECK(use->room == id);
    CHECK(use->sidecar == "s/1");
  }
}

TEST_CASE("different names and kinds give different keys") {
  std::set<std::string> seen{keys.heartbeat()};
  for (const auto& id : ids) {
    for (const auto& key : {keys.failover(id), keys.gateway(id), keys.tombstone(id), keys.room(id), keys.sidecar(id)}) {
      INFO(key);
      CHECK(seen.insert(key).second);
    }
    for (const auto& sidecar : ids) {
      INFO(id << " " << sidecar);
      CHECK(seen.insert(keys.use(id, sidecar)).second);
    }
  }
}

TEST_CASE("all keys are followed, and the use marks come last") {
  CHECK(is_followed(keys.heartbeat()));
  for (const auto& id : ids) {
    INFO(id);
    for (const auto& key : {keys.failover(id), keys.gateway(id), keys.tombstone(id), keys.room(id), keys.sidecar(id)}) {
      CHECK(is_followed(key));
    }
    const std::string use = keys.use(id, "s");
    CHECK(is_followed(use));
    CHECK(keys.room(id) < keys.first_use());
    CHECK(use >= keys.first_use());
    CHECK(use < keys.last_use());
  }
}

TEST_CASE("a room's range of use marks holds all of its use marks and no other room's") {
  for (const auto& room : ids) {
    for (const auto& other : ids) {
      for (const auto& sidecar : ids) {
        const std::string use = keys.use(other, sidecar);
        INFO(room << ": " << use);
        CHECK((use >= keys.first_use(room) && use < keys.last_use(room)) == (room == other));
      }
    }
  }
}

TEST_CASE("a key of no known kind is passed over") {
  for (const std::string key : {"",
                                "/",
                                "/room-sidecar",
                                "/room-sidecar/",
                                "/room-sidecar/beat/",
                                "/room-sidecar/beats",
                                "/room-sidecar/room",
                                "/room-sidecar/room/",
                                "/room-sidecar/room/a/b",
                                "/room-sidecar/room/a%",
                                "/room-sidecar/room/a%2",
                                "/room-sidecar/room/%2f",
                                "/room-sidecar/room/%GG",
                                "/room-sidecar/room/a b",
                                "/room-sidecar/rooms/a",
                                "/room-sidecar/use/a",
                                "/room-sidecar/use/a/",
                                "/room-sidecar/use//s",
                                "/room-sidecar/use/a/s/t",
                                "/another/room/a",
                                "room/a"}) {
    INFO(key);
    CHECK_FALSE(keys.parse(key));
  }
}

TEST_CASE("sidecars with another prefix have other keys") {
  const Keys others("/room-sidecar/2/");
  for (const auto& id : ids) {
    CHECK_FALSE(keys.parse(others.room(id)));
    CHECK_FALSE(others.parse(keys.room(id)));
    CHECK(others.room(id) != keys.room(id));
  }
}
