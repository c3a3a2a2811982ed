#include "cli/room_list_file.h"

#include "catch.h"

namespace {

using cli::parse_room_list;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string kHeader = "id,name,gateway_uid,default_gateway\n";

}  // namespace

TEST_CASE("a CSV list gives its rooms, with columns in any order and two of them optional") {
  const auto text = GENERATE(std::string("id,name,gateway_uid,default_gateway\n5,Morning,2171,gxy1\n,,a/b,gxy2\n"),
                             std::string("\xEF\xBB\xBF"
                                         "default_gateway,gateway_uid,name,id\r\n"
                                         "gxy1,2171,Morning,5\r\ngxy2,a/b,,\r\n"),
                             std::string("Gateway_UID , NAME,Default_Gateway,ID\n\"2171\",\"Morning\",gxy1,5\n\n"
                                         " a/b ,, gxy2 ,\n"));
  CAPTURE(text);
  const auto list = parse_room_list(text, false);
  CHECK(list.problems.empty());
  REQUIRE(list.entries.size() == 2);
  CHECK(list.entries[0].gateway_uid == "2171");
  CHECK(list.entries[0].id == domain::RowId{5});
  CHECK(list.entries[0].name == "Morning");
  CHECK(list.entries[0].default_gateway == "gxy1");
  CHECK(list.entries[0].place == "line 2");
  CHECK(list.entries[1].gateway_uid == "a/b");
  CHECK_FALSE(list.entries[1].id);
  CHECK_FALSE(list.entries[1].name);
}

TEST_CASE("a CSV list without id and name is enough, and a header alone is an empty list") {
  const auto list = parse_room_list("gateway_uid,default_gateway\n2171,gxy1\n", false);
  CHECK(list.problems.empty());
  CHECK(list.entries.size() == 1);
  const auto empty = parse_room_list("gateway_uid,default_gateway\n", false);
  CHECK(empty.problems.empty());
  CHECK(empty.entries.empty());
}

TEST_CASE("a JSON list gives its rooms, with ids as strings or integers") {
  const auto list = parse_room_list(
      "\xEF\xBB\xBF[\n"
      " {\"gateway_uid\": 2171, \"default_gateway\": \"gxy1\", \"id\": 5, \"name\": \"Morning\"},\n"
      " {\"gateway_uid\": \"a[{,\\\"b\", \"default_gateway\": \"gxy2\", \"id\": null},\n"
      "\n"
      " {\"gateway_uid\": 18446744073709551615,\n  \"default_gateway\": \"gxy2\", \"name\": \"\"}\n"
      "]\n",
      false);
  CHECK(list.problems.empty());
  REQUIRE(list.entries.size() == 3);
  CHECK(list.entries[0].gateway_uid == "2171");
  CHECK(list.entries[0].id == domain::RowId{5});
  CHECK(list.entries[0].name == "Morning");
  CHECK(list.entries[0].place == "line 2 (element 1)");
  CHECK(list.entries[1].gateway_uid == "a[{,\"b");
  CHECK(list.entries[1].place == "line 3 (element 2)");
  CHECK_FALSE(list.entries[1].id);
  CHECK(list.entries[2].gateway_uid == "18446744073709551615");
  CHECK(list.entries[2].place == "line 5 (element 3)");
  CHECK_FALSE(list.entries[2].name);
}

TEST_CASE("an empty JSON list is an empty list") {
  const auto list = parse_room_list(" [ ] ", false);
  CHECK(list.problems.empty());
  CHECK(list.entries.empty());
}

TEST_CASE("gxydb's groups are accepted once janus is declared to be the default gateway") {
  const auto text =
      GENERATE(std::string("{\"last_modified\":\"x\",\"rooms\":[\n"
                           "{\"room\":2171,\"janus\":\"gxy1\",\"description\":\"Morning\",\"num_users\":3,"
                           "\"users\":[{\"room\":1}],\"region\":\"\",\"extra\":null},\n"
                           "{\"room\":\"2172\",\"janus\":\"gxy2\",\"description\":\"\"}]}"),
               std::string("[\n{\"room\":2171,\"janus\":\"gxy1\",\"description\":\"Morning\"},\n"
                           "{\"room\":2172,\"janus\":\"gxy2\",\"users\":[]}]"));
  const auto list = parse_room_list(text, true);
  CHECK(list.problems.empty());
  REQUIRE(list.entries.size() == 2);
  CHECK(list.entries[0].gateway_uid == "2171");
  CHECK(list.entries[0].name == "Morning");
  CHECK(list.entries[0].default_gateway == "gxy1");
  CHECK_FALSE(list.entries[0].id);
  CHECK(list.entries[1].place == "line 3 (element 2)");
  CHECK_FALSE(list.entries[1].name);

  const auto refused = parse_room_list(text, false);
  REQUIRE(refused.problems.size() == 1);
  CHECK(contains(refused.problems[0].text, "--janus-is-default"));
}

TEST_CASE("unread fields of gxydb's groups refuse no group") {
  for (const std::string odd : {"\"\\ud83d\"", "1e400", "-1e999", "[[{\"\\udc00\":[1e400]}]]"}) {
    CAPTURE(odd);
    const auto list = parse_room_list(
        "{\"\\ud83d\":" + odd + ",\"rooms\":[{\"room\":2171,\"janus\":\"gxy1\",\"users\":[{\"display\":" + odd +
            "}],\"\\udc00\":" + odd + "}]}",
        true);
    CHECK(list.problems.empty());
    REQUIRE(list.entries.size() == 1);
    CHECK(list.entries[0].place == "line 1 (element 1)");
  }
}

TEST_CASE("a problem in a list is reported with its line") {
  struct Case {
    std::string text;
    std::string says;
  };
  const std::string long_id(256, 'x');
  const auto given = GENERATE_COPY(
      Case{"", "line 1: nothing in it"}, Case{"\n \n", "line 1: nothing in it"},
      Case{"2171,gxy1\n", "line 1: unknown column \"2171\""},
      Case{"gateway_uid,default_gatway\n",
           "line 1: unknown column \"default_gatway\" (did you mean "
           "\"default_gateway\"?)"},
      Case{"gateway_uid,name\n", "line 1: the header has no column \"default_gateway\""},
      Case{"default_gateway\n", "line 1: the header has no column \"gateway_uid\""},
      Case{"gateway_uid,gateway_uid,default_gateway\n", "line 1: the column \"gateway_uid\" is in the header twice"},
      Case{"gateway_uid;default_gateway\n2171;gxy1\n", "separated by semicolons"},
      Case{"gateway_uid,default_gateway,\n", "line 1: unknown column \"\""},
      Case{kHeader + "5,x,2171\n", "line 2: 3 fields where the header has 4"},
      Case{kHeader + "5,a,b,2171,gxy1\n", "line 2: 5 fields where the header has 4"},
      Case{kHeader + "1\n", "line 2: 1 field where the header has 4"},
      Case{kHeader + "5,x,,gxy1\n", "line 2: gateway_uid is missing"},
      Case{kHeader + "0,x,2171,gxy1\n", "line 2: id: \"0\" is not a whole number from 1"},
      Case{kHeader + "-5,x,2171,gxy1\n", "line 2: id: \"-5\""},
      Case{kHeader + "5.0,x,2171,gxy1\n", "line 2: id: \"5.0\""},
      Case{kHeader + "five,x,2171,gxy1\n", "line 2: id: \"five\""},
      Case{kHeader + "9223372036854775808,x,2171,gxy1\n", "line 2: id: \"9223372036854775808\""},
      Case{kHeader + "5,x,..,gxy1\n", "line 2: gateway_uid: \"..\""},
      Case{kHeader + "5,x," + long_id + ",gxy1\n", "line 2: gateway_uid: \"xxx"},
      Case{kHeader + "5,x,\"21\n71\",gxy1\n", "line 2: gateway_uid: \"21\\n71\""},
      Case{kHeader + "5,x,\xFF,gxy1\n", "line 2: gateway_uid: \"\\xff\""},
      Case{kHeader + "5,\xFF,2171,gxy1\n", "line 2: name: \"\\xff\" is not UTF-8"},
      Case{kHeader + "5,\"a\nb\",2171,gxy1\n", "line 2: name: \"a\\nb\" holds control"},
      Case{kHeader + "5,x,2171,.\n", "line 2: default_gateway: \".\""},
      Case{kHeader + ",,2171,gxy1\n,,2172,gxy1\n,,2171,gxy2\n", "line 4: room \"2171\" stands in line 2 already"},
      Case{kHeader + "5,,2171,gxy1\n5,,2172,gxy1\n", "line 3: id 5 stands in line 2 already"},
      Case{kHeader + "5,\"x,2171,gxy1\n", "line 2: a quoted field is not closed"}, Case{"{}", "neither"},
      Case{"{\"gateway_uid\":1}", "neither"}, Case{"[\n\n{\n", "line 4: not valid JSON"},
      Case{"[1]", "line 1 (element 1): not an object"}, Case{"[\n[]]", "line 2 (element 1): not an object"},
      Case{"[\n{}] x", "line 2: not valid JSON"}, Case{"[\"\xFF\"]", "not valid JSON"},
      Case{"[{\"default_gateway\":\"g\"}]", "line 1 (element 1): gateway_uid is missing"},
      Case{"[{\"gateway_uid\":\"1\"}]", "line 1 (element 1): default_gateway is missing"},
      Case{"[{\"gateway_uid\":-1,\"default_gateway\":\"g\"}]", "gateway_uid: -1 is"},
      Case{"[{\"gateway_uid\":1.0,\"default_gateway\":\"g\"}]",
           "gateway_uid: 1.0 is neither a string nor a whole number"},
      Case{"[{\"gateway_uid\":1e400,\"default_gateway\":\"g\"}]", "gateway_uid: 1e400 is neither"},
      Case{"[\n{\"gateway_uid\":\"\\ud83d\",\"default_gateway\":\"g\"}]",
           "line 2 (element 1): gateway_uid: \"\\ud83d\" holds half of a character"},
      Case{"[{\"gateway_uid\":1,\"default_gateway\":\"g\",\"name\":\"x\\udc00\"}]",
           "name: \"x\\udc00\" holds half of a character"},
      Case{"[{\"gateway_uid\":1,\"default_gateway\":\"g\",\"na\\ud83d\":1e400}]", "unknown field \"na\xEF\xBF\xBD\""},
      Case{"[{\"gateway_uid\":1e2,\"default_gateway\":\"g\"}]", "gateway_uid: "},
      Case{"[{\"gateway_uid\":true,\"default_gateway\":\"g\"}]", "gateway_uid: true is"},
      Case{"[{\"gateway_uid\":[1],\"default_gateway\":\"g\"}]", "gateway_uid: [1] is"},
      Case{"[{\"gateway_uid\":1,\"default_gateway\":7}]", "default_gateway: 7 is not a string"},
      Case{"[{\"gateway_uid\":1,\"default_gateway\":\"g\",\"name\":7}]", "name: 7 is not a string"},
      Case{"[{\"gateway_uid\":1,\"default_gateway\":\"g\",\"id\":-2}]", "id: -2 is"},
      Case{"[{\"gateway_uid\":1,\"default_gateway\":\"g\",\"id\":0}]", "id: \"0\" is not"},
      Case{"[{\"gateway_uid\":1,\"default_gatewy\":\"g\"}]",
           "unknown field \"default_gatewy\" (did you mean \"default_gateway\"?)"},
      Case{"[\n{\"gateway_uid\":1,\"default_gateway\":\"g\"},\n{\"gateway_uid\":\"1\","
           "\"default_gateway\":\"g\"}]",
           "line 3 (element 2): room \"1\" stands in line 2 (element 1) already"},
      Case{"{\"rooms\":7}", "neither"});
  CAPTURE(given.text);
  const auto list = parse_room_list(given.text, false);
  REQUIRE_FALSE(list.problems.empty());
  CAPTURE(list.problems[0].text);
  CHECK(contains(list.problems[0].text, given.says));
}

TEST_CASE("every problem of a list is reported, in the order of its lines") {
  const auto list = parse_room_list(kHeader + "x,,2171,gxy1\n5,,,\n5,,2171,gxy1\n\"6\"7,,2172,gxy1\n1,2\n", false);
  REQUIRE(list.problems.size() == 6);
  CHECK(contains(list.problems[0].text, "line 2: id: \"x\""));
  CHECK(contains(list.problems[1].text, "line 3: gateway_uid is missing"));
  CHECK(contains(list.problems[2].text, "line 4: room \"2171\" stands in line 2"));
  CHECK(contains(list.problems[3].text, "line 4: id 5 stands in line 3"));
  CHECK(contains(list.problems[4].text, "line 5: text after the closing quote"));
  CHECK(contains(list.problems[5].text, "line 6: 2 fields"));
}

TEST_CASE("an empty default gateway means none, but a list without that field is refused") {
  const auto text = GENERATE(kHeader + ",,3002,\n", kHeader + ",,3002,\" \"\n",
                             std::string(R"([{"gateway_uid":3002,"default_gateway":""}])"),
                             std::string(R"([{"gateway_uid":3002,"default_gateway":null}])"),
                             std::string(R"({"rooms":[{"room":3002,"janus":""}]})"));
  CAPTURE(text);
  const auto list = parse_room_list(text, true);
  CHECK(list.problems.empty());
  REQUIRE(list.entries.size() == 1);
  CHECK(list.entries[0].default_gateway.empty());
  const auto without = parse_room_list(R"({"rooms":[{"room":3002}]})", true);
  REQUIRE(without.problems.size() == 1);
  CHECK(contains(without.problems[0].text, "janus is missing"));
}

TEST_CASE("blanks around ids are trimmed in CSV, also within quotes") {
  const auto list = parse_room_list(kHeader + ",\" N \",\" 2171\t\",\" gxy1 \"\n", false);
  CHECK(list.problems.empty());
  REQUIRE(list.entries.size() == 1);
  CHECK(list.entries[0].gateway_uid == "2171");
  CHECK(list.entries[0].default_gateway == "gxy1");
  CHECK(list.entries[0].name == " N ");
}

TEST_CASE("entries with problems are left out, and other entries are kept for later checks") {
  const auto list = parse_room_list(kHeader + "x,,1,gxy1\n,,2,gxy1\n,,2,gxy2\n1,2\n,,3,\n", false);
  CHECK(list.problems.size() == 3);
  REQUIRE(list.entries.size() == 2);
  CHECK(list.entries[0].gateway_uid == "2");
  CHECK(list.entries[1].gateway_uid == "3");
  const auto json = parse_room_list(
      R"([{"gateway_uid":1,"default_gateway":7},{"gateway_uid":2,"default_gateway":"g","idd":1}])", false);
  CHECK(json.problems.size() == 2);
  CHECK(json.entries.empty());
}
