// The body of PUT /v2/sessions, read as a stream.
#include <string>
#include <vector>

#include "api/snapshot.h"
#include "catch.h"

namespace {

class Collector final : public api::SnapshotSink {
 public:
  void begin() override { entries.clear(); }
  void add(api::SnapshotEntry entry) override { entries.push_back(std::move(entry)); }
  std::vector<api::SnapshotEntry> entries;
};

std::string shown(const std::optional<std::string>& id) { return id ? "'" + *id + "'" : "-"; }

// "'room' 'session' janus;" of each entry, or the problem.
std::string read(const std::string& body) {
  Collector collector;
  const auto outcome = api::parse_snapshot(body, collector);
  if (outcome.problem) return *outcome.problem;
  std::string text = std::to_string(outcome.age_ms) + ":";
  for (const auto& [room, session, janus] : collector.entries) {
    text += " " + shown(room) + shown(session) + shown(janus);
  }
  return text;
}

}  // namespace

TEST_CASE("a snapshot is read whatever the order of its keys") {
  CHECK(read(R"({"sessions":[],"age_ms":5})") == "5:");
  CHECK(read(R"({"age_ms":7,"sessions":[{"room":"1","session":"a","janus":"gxy1"}]})") == "7: '1''a''gxy1'");
  CHECK(read(R"({"sessions":[{"session":"a","room":18446744073709551615}]})") == "0: '18446744073709551615''a'-");
  CHECK(
      read(
          R"({"x":{"sessions":[1],"age_ms":"z"},"sessions":[{"x":[{"room":"n"}],"room":"1","y":{"session":"m"},"session":"s"}],"z":[[]]})") ==
      "0: '1''s'-");
}

TEST_CASE("the last one of duplicate keys counts") {
  CHECK(
      read(
          R"({"sessions":[{"room":"1","room":"2","session":"a"}],"sessions":[{"room":"3","room":4}],"age_ms":1,"age_ms":2})") ==
      "2: '4'--");
  CHECK(read(R"({"sessions":[{"room":"1","room":null,"session":"a","session":[]}]})") == "0: ---");
}

TEST_CASE("entries without usable ids are passed on with empty ids") {
  CHECK(read(R"({"sessions":[{},{"room":-1,"session":1.0,"janus":6}]})") == "0: --- ---");
}

TEST_CASE("unread fields refuse no snapshot, whatever they hold") {
  for (const char* odd : {R"("\ud83d")", "1e400", "-1e999", R"([{"\udc00":[1e400,"\ud83d"]}])"}) {
    CAPTURE(odd);
    const std::string user = std::string(R"({"display":)") + odd + R"(,"room":"1","\ud83d":0,"session":"a"})";
    CHECK(read(R"({"sessions":[)" + user + R"(],"x":)" + odd + "}") == "0: '1''a'-");
    CHECK(read(std::string(R"({"sessions":[{"room":)") + odd + R"(,"session":"a"}]})") == "0: -'a'-");
    CHECK(read(std::string(R"({"sessions":[{"room":"1","session":)") + odd + R"(,"janus":)" + odd + "}]}") ==
          "0: '1'--");
  }
}

TEST_CASE("a list with anything but objects in it is no snapshot") {
  const std::string no_object = "Every entry of \"sessions\" must be an object.";
  for (const char* entry : {"5", "-5", "0.5", "\"x\"", "null", "true", "[{\"room\":\"1\"}]", "\"\\ud83d\"", "1e400"}) {
    CAPTURE(entry);
    const std::string list = std::string("{\"sessions\":[{},") + entry + "]";
    CHECK(read(list + "}") == no_object);
    CHECK(read(list + ",\"sessions\":[]}") == "0:");  // the last duplicate counts
  }
  Collector collector;
  std::string ones = "{\"sessions\":[1";
  while (ones.size() < (8u << 20)) ones += ",1";
  CHECK(api::parse_snapshot(ones + "]}", collector).problem);
  CHECK(collector.entries.empty());
}

TEST_CASE("a list of 320 000 entries is accepted, and one more is too many") {
  std::string body = "{\"sessions\":[{}";
  for (std::size_t i = 1; i < api::max_entries; ++i) body += ",{}";
  Collector collector;
  CHECK_FALSE(api::parse_snapshot(body + "]}", collector).problem);
  CHECK(collector.entries.size() == api::max_entries);
  const auto outcome = api::parse_snapshot(body + ",{}]}", collector);
  CHECK(outcome.problem);
  CHECK(outcome.too_many);
  CHECK(collector.entries.size() == api::max_entries);
}

TEST_CASE("a document of another form is reported as a problem") {
  const std::string no_list = "The body needs a list named \"sessions\".";
  const std::string bad_age = "\"age_ms\" must be an integer that is not negative.";
  CHECK(read("[]") == "The body must be exactly one JSON object.");
  CHECK(read("[{\"sessions\":[]}]") == "The body must be exactly one JSON object.");
  CHECK(read("5") == "The body must be exactly one JSON object.");
  for (const char* body : {"{}", R"({"sessions":{}})", R"({"sessions":null})", R"({"sessions":[],"sessions":1})",
                           R"({"x":{"sessions":[]}})"}) {
    CAPTURE(body);
    CHECK(read(body) == no_list);
  }
  for (const char* age :
       {"-1", "-0", "1.0", "1e3", "\"1\"", "null", "{}", "[]", "18446744073709551616", "1e400", "\"\\ud83d\""}) {
    CAPTURE(age);
    CHECK(read(std::string(R"({"sessions":[],"age_ms":)") + age + "}") == bad_age);
  }
  for (const char* text : {"", "{", R"({"sessions":[]}x)", R"({"sessions":[})"}) {
    CHECK(read(text).find("not valid JSON") != std::string::npos);
  }
}

TEST_CASE("a body of 8 MiB is read, and so is one nested a million levels deep") {
  std::string body = R"({"sessions":[)";
  const std::string entry = R"({"room":"2171","session":"0123456789abcdef","janus":"gxy1","user":{"a":[1,2]}},)";
  while (body.size() < (8u << 20)) body += entry;
  body.back() = ']';
  Collector collector;
  CHECK_FALSE(api::parse_snapshot(body + "}", collector).problem);
  CHECK(collector.entries.size() > 90000);
  CHECK(read(R"({"sessions":[],"x":)" + std::string(1 << 20, '[') + std::string(1 << 20, ']') + "}") == "0:");
}
