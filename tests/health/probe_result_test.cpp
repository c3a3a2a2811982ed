#include "health/probe_result.h"

#include "catch.h"

using namespace health;

TEST_CASE("only Janus' own answer is a good probe result") {
  CHECK(is_server_info(R"({"janus":"server_info","name":"Janus WebRTC Server","version":1101})"));
  for (const char* other : {"", "{}", R"({"janus":"error"})", R"({"janus":5})", "<html>", R"("server_info")",
                            R"({"janus":"server_info")", R"([{"janus":"server_info"}])"}) {
    CAPTURE(other);
    CHECK_FALSE(is_server_info(other));
  }
}

TEST_CASE("a status message has exactly one member, which is true or false") {
  CHECK(online_in(R"({"online":true})") == true);
  CHECK(online_in(R"( {"online" : false} )") == false);
  for (const char* other :
       {"", "{}", "true", R"({"online":1})", R"({"online":"true"})", R"({"online":null})",
        R"({"online":true,"since":5})", R"({"Online":true})", R"({"online":true} x)", R"([true])", "\xff"}) {
    CAPTURE(other);
    CHECK_FALSE(online_in(other).has_value());
  }
}

TEST_CASE("the probe's address is derived from a gateway's admin URL") {
  struct Case {
    const char* address;
    const char* url;
  };
  const Case cases[] = {
      {"http://10.0.0.1:8088/janus", "http://10.0.0.1:8088/janus"},
      {"http://10.0.0.1:7088/admin/", "http://10.0.0.1:7088/admin"},
      {"https://gxy1.example.org/janus", "https://gxy1.example.org/janus"},
      {"wss://gxy1.example.org/", "https://gxy1.example.org"},
      {"ws://gxy1.example.org:8188", "http://gxy1.example.org:8188"},
      {"http://h/janus?token=a#b", "http://h/janus"},
      {"http://[::1]:8088/janus", "http://[::1]:8088/janus"},
      {"gxy1.example.org", ""},
      {"ftp://gxy1.example.org/", ""},
      {"http://", ""},
      {"", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.address);
    CHECK(api_url(c.address) == c.url);
  }
}

TEST_CASE("the gateway's name is the topic's level at the filter's plus") {
  CHECK(name_in_topic("janus/+/status", "janus/gxy1/status") == "gxy1");
  CHECK(name_in_topic("+", "gxy1") == "gxy1");
  CHECK(name_in_topic("janus/+", "janus/gxy 1") == "gxy 1");
  for (const char* other :
       {"janus//status", "janus/gxy1/state", "janus/a/b/status", "other/gxy1/status", "janus/status", ""}) {
    CAPTURE(other);
    CHECK(name_in_topic("janus/+/status", other).empty());
  }
}

TEST_CASE("a list of rooms is taken whole or not at all") {
  const auto by_api = [](const std::string& list) {
    return listed_rooms(R"({"janus":"success","plugindata":{"plugin":"janus.plugin.videoroom","data":)"
                        R"({"videoroom":"success","list":)" +
                        list + "}}}");
  };
  using Rooms = std::map<domain::RoomId, std::int64_t>;
  CHECK(by_api("[]") == Rooms{});
  CHECK(by_api(R"([{"room":2171,"num_participants":3,"x":null},{"room":"a b","num_participants":0}])") ==
        Rooms{{"2171", 3}, {"a b", 0}});
  CHECK(listed_rooms(
            R"({"janus":"success","response":{"videoroom":"success","list":[{"room":1,"num_participants":2}]}})") ==
        Rooms{{"1", 2}});
  for (const char* bad : {"{}", "null", "[1]", R"([{"room":1}])", R"([{"room":-1,"num_participants":1}])",
                          R"([{"room":1,"num_participants":-1}])", R"([{"room":1,"num_participants":1e9}])",
                          R"([{"room":1,"num_participants":18446744073709551615}])",
                          R"([{"room":1,"num_participants":1},{"room":null,"num_participants":1}])"}) {
    CAPTURE(bad);
    CHECK(!by_api(bad));
  }
  CHECK(!listed_rooms(R"({"janus":"error","error":{"code":403,"reason":"Unauthorized request"}})"));
  CHECK(!listed_rooms("<html>"));
}

TEST_CASE("a created object has an id") {
  CHECK(created_id(R"({"janus":"success","transaction":"x","data":{"id":7217092234}})") == 7217092234u);
  for (const char* bad : {R"({"janus":"error","data":{"id":1}})", R"({"janus":"success"})",
                          R"({"janus":"success","data":{"id":"1"}})", R"({"janus":"success","data":{"id":-1}})", ""}) {
    CAPTURE(bad);
    CHECK(!created_id(bad));
  }
}
