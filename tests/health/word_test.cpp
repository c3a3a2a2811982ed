#include "health/word.h"

#include "catch.h"

using namespace health;

TEST_CASE("only Janus' own answer is a good word") {
  CHECK(is_server_info(R"({"janus":"server_info","name":"Janus WebRTC Server","version":1101})"));
  for (const char* other : {"", "{}", R"({"janus":"error"})", R"({"janus":5})", "<html>", R"("server_info")",
                            R"({"janus":"server_info")", R"([{"janus":"server_info"}])"}) {
    CAPTURE(other);
    CHECK_FALSE(is_server_info(other));
  }
}

TEST_CASE("a status is exactly one member that is true or false") {
  CHECK(online_in(R"({"online":true})") == true);
  CHECK(online_in(R"( {"online" : false} )") == false);
  for (const char* other : {"", "{}", "true", R"({"online":1})", R"({"online":"true"})", R"({"online":null})",
                            R"({"online":true,"since":5})", R"({"Online":true})", R"({"online":true} x)",
                            R"([true])", "\xff"}) {
    CAPTURE(other);
    CHECK_FALSE(online_in(other).has_value());
  }
}

TEST_CASE("a gateway is asked beside the address that it is known by") {
  struct Case {
    const char* address;
    const char* url;
  };
  const Case cases[] = {
      {"http://10.0.0.1:8088/janus", "http://10.0.0.1:8088/janus/info"},
      {"http://10.0.0.1:7088/admin/", "http://10.0.0.1:7088/admin/info"},
      {"https://gxy1.example.org/janus", "https://gxy1.example.org/janus/info"},
      {"wss://gxy1.example.org/", "https://gxy1.example.org/info"},
      {"ws://gxy1.example.org:8188", "http://gxy1.example.org:8188/info"},
      {"http://h/janus?token=a#b", "http://h/janus/info"},
      {"http://[::1]:8088/janus", "http://[::1]:8088/janus/info"},
      {"gxy1.example.org", ""},
      {"ftp://gxy1.example.org/", ""},
      {"http://", ""},
      {"", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.address);
    CHECK(info_url(c.address) == c.url);
  }
}

TEST_CASE("the gateway's name stands in the topic where the filter has its plus") {
  CHECK(name_in_topic("janus/+/status", "janus/gxy1/status") == "gxy1");
  CHECK(name_in_topic("+", "gxy1") == "gxy1");
  CHECK(name_in_topic("janus/+", "janus/gxy 1") == "gxy 1");
  for (const char* other : {"janus//status", "janus/gxy1/state", "janus/a/b/status", "other/gxy1/status",
                            "janus/status", ""}) {
    CAPTURE(other);
    CHECK(name_in_topic("janus/+/status", other).empty());
  }
}
