// Refusals of bodies, and their messages, by the requests behind the server.
#include <string>

#include "api/requests.h"
#include "app/lone_sidecar.h"
#include "catch.h"
#include "json/value.h"

namespace {

struct Answers {
  LoneSidecar real;
  app::LoadHistory load_history;
  api::Backend backend{*real.registry, *real.keeper, load_history, {}, {}};
  http::Request request;

  http::Response snapshot(std::string_view body) {
    request.body = body;
    return api::answer_sessions_put(backend, request);
  }
  http::Response room(std::string_view body) {
    request.body = body;
    return api::answer_room_server(backend, request);
  }
  http::Response session(std::string_view body) {
    request.args = {"1", "a"};
    request.body = body;
    return api::answer_session_put(backend, request);
  }
};

// "code message" of a refusal.
std::string reported(const http::Response& response) {
  const auto json = *json::Value::parse(response.body);
  return *json.find("error")->string() + " " + *json.find("message")->string();
}

}  // namespace

TEST_CASE("a snapshot with a non-object entry, or with too many entries, is refused whole") {
  Answers answers;
  CHECK(answers.snapshot(R"({"sessions":[{"room":"1","session":"a"},1]})").status == 400);
  CHECK(reported(answers.snapshot(R"({"sessions":[1]})")).rfind("invalid_json ", 0) == 0);
  std::string many = R"({"sessions":[{})";
  for (int i = 0; i < 320'000; ++i) many += ",{}";
  const auto refused = answers.snapshot(many + "]}");
  CHECK(refused.status == 413);
  CHECK(reported(refused).rfind("too_large ", 0) == 0);
  CHECK(answers.snapshot(R"({"sessions":[{"room":"1","session":"a"}]})").body ==
        R"({"sessions":1,"entered":1,"left":0,"rejected":[]})");
}

TEST_CASE("a body with a NUL and more text behind it is refused") {
  Answers answers;
  CHECK(answers.room(R"({"room":"1"})").status == 200);
  CHECK(reported(answers.room(std::string(R"({"room":"1"})") + '\0' + "garbage")).rfind("invalid_json ", 0) == 0);
}

TEST_CASE("the message about a bad body ends in one full stop") {
  Answers answers;
  for (const char* body : {"", "[]", "{", R"({"sessions":[1]})"}) {
    CAPTURE(body);
    for (const auto& answer : {answers.snapshot(body), answers.room(body)}) {
      const auto text = reported(answer);
      CHECK(text.back() == '.');
      CHECK(text.find("..") == std::string::npos);
    }
  }
}

// JavaScript writes the first when it has cut a name inside an emoji.
TEST_CASE("a malformed value in an unread field or key refuses no user") {
  Answers answers;
  for (const char* odd : {R"("\ud83d")", R"("a\udc00")", "1e400", "-1e999", R"([[{"\ud83d":{"x":[1e400]}}]])"}) {
    CAPTURE(odd);
    const std::string user = std::string(R"("display":)") + odd + R"(,"\ud83d":)" + odd;
    CHECK(answers.room("{" + user + R"(,"room":"1","geo":{)" + user + R"(,"country_code":"IL"}})").status == 200);
    CHECK(answers.room(R"({"room":)" + std::string(odd) + R"(,"room":"1"})").status == 200);  // the last counts
    CHECK(answers.session("{" + user + R"(,"janus":)" + odd + "}").status == 200);
    CHECK(answers.snapshot(R"({"sessions":[{"room":"1","session":"a",)" + user + "}]," + user + "}")
              .body.find(R"("rejected":[])") != std::string::npos);
  }
}

TEST_CASE("an unusable value in a field that is read is refused with that field's error code") {
  Answers answers;
  for (const char* odd : {R"("\ud83d")", R"("2171\ud83d")", "1e400", "-1e999"}) {
    CAPTURE(odd);
    const std::string value(odd);
    CHECK(reported(answers.room(R"({"room":)" + value + "}")).rfind("invalid_room ", 0) == 0);
    CHECK(reported(answers.room(R"({"room":"1","room":)" + value + "}")).rfind("invalid_room ", 0) == 0);
    CHECK(reported(answers.room(R"({"room":"1","geo":)" + value + "}")).rfind("invalid_country ", 0) == 0);
    CHECK(reported(answers.room(R"({"room":"1","geo":{"country_code":)" + value + "}}")).rfind("invalid_country ", 0) ==
          0);
  }
  CHECK(
      answers
          .snapshot(R"({"sessions":[{"room":"1","session":"a"},{"room":"\ud83d","session":"b"},)"
                    R"({"room":"1","session":"\ud83d"}]})")
          .body ==
      R"({"sessions":1,"entered":1,"left":0,"rejected":[)"
      R"({"room":null,"session":"b","error":"invalid_room"},{"room":"1","session":null,"error":"invalid_session"}]})");
}

TEST_CASE("a snapshot without a single valid entry is refused, and nobody leaves") {
  Answers answers;
  REQUIRE(answers.snapshot(R"({"sessions":[{"room":"1","session":"a"},{"room":"2","session":"b"}]})").status == 200);
  for (const char* body :
       {R"({"sessions":[{}]})", R"({"sessions":[{"room_id":"1","session":"a"},{"room":"1","id":"b"}]})",
        R"({"sessions":[{"room":"","session":"a"}]})", R"({"sessions":[{"room":"1","session":".."}]})",
        R"({"sessions":[{"room":"\ud83d","session":"a"},{"room":"1","session":1e400}],"age_ms":5})",
        R"({"sessions":[{"room":"1","session":"a"},{"room":null,"session":"a"}]})"}) {
    CAPTURE(body);
    const auto refused = answers.snapshot(body);
    CHECK(refused.status == 400);
    CHECK(reported(refused).rfind("invalid_session ", 0) == 0);
    CHECK(answers.snapshot(R"({"sessions":[{"room":"1","session":"a"},{"room":"2","session":"b"}]})").body ==
          R"({"sessions":2,"entered":0,"left":0,"rejected":[]})");
  }
  // One valid entry is enough for a snapshot, and so is an entry of an unknown room.
  answers.real.pass(std::chrono::milliseconds{1});  // what is reported in the same moment stays
  CHECK(answers.snapshot(R"({"sessions":[{},{"room":"1","session":"a"}]})").body ==
        R"({"sessions":1,"entered":0,"left":1,"rejected":[{"room":null,"session":null,"error":"invalid_room"}]})");
  answers.real.pass(std::chrono::milliseconds{1});
  CHECK(answers.snapshot(R"({"sessions":[]})").body == R"({"sessions":0,"entered":0,"left":1,"rejected":[]})");
}
