// Reading and writing JSON.
#include <limits>
#include <string>

#include "catch.h"
#include "json/value.h"
#include "json/writer.h"

using json::Value;

TEST_CASE("a text is accepted if it is exactly one JSON value") {
  for (const char* good : {"{}", " [1, 2] ", "null", "\"\\u00e4\"", "{\"a\":{\"b\":[true,false]}}", "-0"}) {
    CAPTURE(good);
    CHECK(json::Value::parse(good));
  }
  for (const char* bad : {"",
                          " ",
                          "{",
                          "{}x",
                          "{} {}",
                          "{'a':1}",
                          "{\"a\":1,}",
                          "[1,]",
                          "// x\n{}",
                          "01",
                          "+1",
                          "1.",
                          ".5",
                          "NaN",
                          "\"\xff\"",
                          "\"\xed\xa0\xbd\"",
                          "\"a\nb\"",
                          "\"a\tb\"",
                          "tru",
                          "nulll",
                          "[1 2]",
                          "{\"a\" 1}",
                          "{1:2}",
                          "{\"a\":1",
                          "[",
                          "]",
                          "[}",
                          "{]",
                          "[1}",
                          "\"",
                          "\"\\",
                          "\"\\\"",
                          "\"\\x\"",
                          "\"\\u12g4\"",
                          "\"\\ud83d\\u\"",
                          "\"\\ud83d\\ud\"",
                          "-",
                          "--1",
                          "00",
                          "1e",
                          "1e+",
                          "1.e1",
                          "0x1",
                          "Infinity",
                          "1,",
                          "/**/1",
                          "\"\xc3\"",
                          "\"\xc0\x80\"",
                          "\"\xf5\x80\x80\x80\""}) {
    CAPTURE(bad);
    std::string problem;
    CHECK_FALSE(json::Value::parse(bad, &problem));
    CHECK(problem.find("not valid JSON at byte") != std::string::npos);
  }
}

TEST_CASE("a NUL ends no JSON, wherever it stands") {
  for (const std::string& text : {std::string("{}\0", 3), std::string("{}\0garbage", 10), std::string("\0{}", 3),
                                  std::string("{\"a\0\":1}", 8), std::string("[1\0]", 4)}) {
    std::string problem;
    CHECK_FALSE(json::Value::parse(text, &problem));
    CHECK(problem == "The body is not valid JSON at byte " + std::to_string(text.find('\0') + 1) + ".");
  }
  CHECK(*json::Value::parse("\"\\u0000\"")->string() == std::string(1, '\0'));
}

TEST_CASE("an integer is unsigned only if written without sign, point and exponent, below 2^64") {
  const auto is_unsigned = [](const char* text) { return json::Value::parse(text)->is_unsigned(); };
  for (const char* yes : {"0", "1", "18446744073709551615"}) CHECK(is_unsigned(yes));
  for (const char* no : {"-0", "-1", "1.0", "1e2", "1E2", "18446744073709551616", "\"1\"", "true"}) {
    CAPTURE(no);
    CHECK_FALSE(is_unsigned(no));
  }
  CHECK(*json::Value::parse("18446744073709551615")->unsigned_number() == std::numeric_limits<std::uint64_t>::max());
  CHECK(*json::Value::parse("-5")->signed_number() == -5);
}

// Python's and JavaScript's writers send the first, and any writer of long numbers the second.
TEST_CASE("a lone surrogate, or a number of another form, is valid JSON and kept as it was written") {
  for (const char* token : {R"("\ud83d")", R"("a\uDC00b")", R"("\ude00\ud83d")", R"("\ud83d\u0041")", R"("\ud83d\n")",
                            R"("\ud83d\ud83d\ude00")", "1e400", "-1e999", "1E+400", "123.5e99999999999999999999",
                            "1.50", "1e2", "18446744073709551616", "-9223372036854775809"}) {
    CAPTURE(token);
    const auto json = json::Value::parse(std::string("[{\"a\":") + token + "},7]");
    REQUIRE(json);
    const json::Value& value = *json->array()->front().find("a");
    CHECK_FALSE((value.is_null() || value.is_string() || value.is_unsigned() || value.is_object() || value.array()));
    CHECK_FALSE((value.boolean() || value.signed_number()));
    CHECK(json->dump() == std::string("[{\"a\":") + token + "},7]");
  }
  const std::string digits(5000, '9');
  for (const std::string& token : {digits, "-" + digits, "0." + digits, "1e-" + digits, digits + "e-5000"}) {
    const auto json = json::Value::parse("{\"a\":" + token + "}");
    REQUIRE(json);
    CHECK_FALSE(json->find("a")->is_unsigned());
  }
}

TEST_CASE("a key with a lone surrogate matches and hides no known key") {
  const auto json = *json::Value::parse(R"({"room":1,"\ud83d":2,"room\ud83d":3,"\udc00room":4,"\u0072oom\u0021":5})");
  CHECK(*json.find("room")->unsigned_number() == 1);
  CHECK(*json.find("room!")->unsigned_number() == 5);
  CHECK(json.object()->size() == 5);
}

TEST_CASE("escapes in strings and keys are decoded") {
  const auto text = [](const char* json) { return *json::Value::parse(json)->string(); };
  CHECK(text(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(text(R"("\u0041\u00e4\u20AC\ud83d\ude00z")") == "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");
  CHECK(text(R"("\ud800\udc00\udbff\udfff")") == "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
  CHECK(text("\"\x7f\xc3\xa4\"") == "\x7f\xc3\xa4");
  CHECK(*json::Value::parse(R"({"\u0072oom":"1"})")->find("room")->string() == "1");
  CHECK(*json::Value::parse("\xEF\xBB\xBF{\"a\":1}")->find("a")->unsigned_number() == 1);  // a byte order mark
}

TEST_CASE("members are found by name, and the last of duplicate names counts") {
  const auto json = *json::Value::parse(R"({"a":1,"b":{"c":"x"},"a":2,"n":null,"":3})");
  CHECK(*json.find("a")->unsigned_number() == 2);
  CHECK(*json.find("b")->find("c")->string() == "x");
  CHECK(json.find("n")->is_null());
  CHECK(json.find("")->is_unsigned());
  CHECK_FALSE(json.find("x"));
  CHECK_FALSE(json.find("a")->find("x"));
  CHECK(json.is_object());
  CHECK_FALSE(json::Value::parse("[]")->is_object());
}

TEST_CASE("a text of any depth is read, and values below 200 levels become null") {
  for (const std::size_t depth : {199u, 200u, 201u, 30000u}) {
    const auto json =
        json::Value::parse("{\"room\":\"1\",\"x\":" + std::string(depth, '[') + std::string(depth, ']') + ",\"y\":2}");
    REQUIRE(json);
    CHECK(*json->find("room")->string() == "1");
    CHECK(*json->find("y")->unsigned_number() == 2);
    CHECK((json->dump().find("null") != std::string::npos) == (depth >= 200));
  }
}

TEST_CASE("a parsed text is written again, compactly and in order") {
  for (const char* text : {R"({"b":[1,-2,3.5,true,null],"a":{},"c":[],"d":"x\"\\\n\u0001"})", "[]", "\"\""}) {
    CHECK(json::Value::parse(text)->dump() == text);
  }
}

TEST_CASE("strings are escaped, and bytes that are not UTF-8 are replaced") {
  const auto written = [](std::string_view text) {
    std::string out;
    return json::append_string(out, text);
  };
  const std::string stand_in = "\xef\xbf\xbd";
  CHECK(written("plain") == "\"plain\"");
  CHECK(written("\"\\\r\n\t\x1f\x7f") == "\"\\\"\\\\\\r\\n\\t\\u001f\\u007f\"");
  CHECK(written({"\0", 1}) == "\"\\u0000\"");
  CHECK(written("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80") == "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
  for (const char* bad : {"\xff", "\x80", "\xc3", "\xc0", "\xf5"}) {
    CHECK(written(bad) == "\"" + stand_in + "\"");
  }
  CHECK(written("\xed\xa0\x80") == "\"" + stand_in + stand_in + stand_in + "\"");    // a surrogate
  CHECK(written("\xe0\x80\x80x") == "\"" + stand_in + stand_in + stand_in + "x\"");  // overlong
}

TEST_CASE("the writer puts commas where JSON needs them") {
  json::Writer json;
  json.begin_object().member("a", 1).member("b", "x").key("c").begin_array();
  json.value(true).null().begin_object().end_object().value(std::size_t{7}).value(-1).end_array();
  json.member("d", std::optional<std::string>{}).member("e", 0.5);
  json.member("f", std::numeric_limits<double>::infinity()).key("g").value(*json::Value::parse("[1,{}]"));
  CHECK(json.end_object().take() == R"({"a":1,"b":"x","c":[true,null,{},7,-1],"d":null,"e":0.5,"f":null,"g":[1,{}]})");
}
