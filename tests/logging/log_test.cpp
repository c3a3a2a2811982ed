#include "logging/log.h"

#include "catch.h"
#include "logging/options.h"

TEST_CASE("a line has the form LEVEL: message key=value …") {
  CHECK(logging::as_text(
            logging::Level::info, "Assigned room to server",
            {{"room_id", "2171"}, {"gateway_name", "gxy5"}, {"country_code", "IL"}, {"regional_match", true}}) ==
        "INFO: Assigned room to server room_id=2171 gateway_name=gxy5 country_code=IL regional_match=true");
  CHECK(logging::as_text(logging::Level::warn, "W", {{"n", std::int64_t{-3}}, {"x", nullptr}, {"e", ""}}) ==
        "WARN: W n=-3 x=null e=");
}

TEST_CASE("a value can forge neither a line nor a field") {
  const struct {
    std::string_view value, text;
  } cases[] = {
      {"a b", R"("a b")"},
      {"a\nINFO: Assigned", R"("a\nINFO: Assigned")"},
      {"a\r", R"("a\r")"},
      {"say \"hi\"", R"("say \"hi\"")"},
      {"back\\slash", R"("back\\slash")"},
      {"tab\t", R"("tab\t")"},
      {"\x1B[31m", R"("\u001b[31m")"},
      {"\x7F", R"("\u007f")"},
      {"\xC2\x85", R"("\u0085")"},
      {"\xFF", R"("\u00ff")"},
      {"\u2028", R"("\u2028")"},
      {"\u202eabc", R"("\u202eabc")"},
      {"gxy1\u00a0", R"("gxy1\u00a0")"},
      {"חדר", "חדר"},
      {"a=b", "a=b"},
  };
  for (const auto& c : cases) {
    CHECK(logging::as_text(logging::Level::info, "M", {{"k", c.value}}) == "INFO: M k=" + std::string(c.text));
  }
  CHECK(logging::as_text(logging::Level::error, "\u202e\u200b\u00a0", {}) == "ERROR: \\u202e\\u200b\\u00a0");
  CHECK(logging::as_json(logging::Level::error, "\U000e0041", {{"k", "\u202e"}}, "T") ==
        R"({"time":"T","level":"ERROR","message":"\udb40\udc41","k":"\u202e"})");
  CHECK(logging::as_text(logging::Level::error, "two\nlines \"quoted\"", {}) == "ERROR: two\\nlines \"quoted\"");
}

TEST_CASE("a long value is cut, between characters") {
  const std::string id(255, 'x');
  CHECK(logging::as_text(logging::Level::info, "M", {{"k", id}}) == "INFO: M k=" + id);
  CHECK(logging::as_text(logging::Level::info, "M", {{"k", std::string(1 << 20, 'x')}}) ==
        "INFO: M k=" + std::string(1024, 'x') + "…");
  std::string hebrew = "x";
  for (int i = 0; i < 1000; ++i) hebrew += "ח";
  CHECK(logging::as_text(logging::Level::info, "M", {{"k", hebrew}}) == "INFO: M k=" + hebrew.substr(0, 1023) + "…");
}

TEST_CASE("a JSON line holds the words as its message and each key as a field") {
  CHECK(
      logging::as_json(logging::Level::error, "M \"x\"",
                       {{"room", "a\nb"}, {"n", std::int64_t{5}}, {"ok", false}, {"none", nullptr}},
                       "2026-11-23T03:27:00.123Z") ==
      R"({"time":"2026-11-23T03:27:00.123Z","level":"ERROR","message":"M \"x\"","room":"a\nb","n":5,"ok":false,"none":null})");
}
