#include "domain/id.h"

#include <string>

#include "catch.h"

TEST_CASE("ids are 1 to 255 bytes of UTF-8 without control characters") {
  const std::string longest(255, 'x');
  for (const std::string& id :
       {std::string("2171"), std::string("a b"), std::string("a/b"), std::string("..."), std::string("חדר"),
        std::string("\xF0\x9F\x98\x80"), longest, std::string("'; DROP TABLE rooms; --")}) {
    CAPTURE(id);
    CHECK(domain::is_valid_id(id));
  }
}

TEST_CASE("any other text is refused as an id") {
  const std::string refused[] = {
      "",
      ".",
      "..",
      std::string(256, 'x'),
      "a\nb",
      "a\tb",
      std::string("a\0b", 3),
      "\x7F",
      "\xC2\x80",
      "\xC2\x9F",  // C1 control characters
      "\xC0\xAF",  // overlong
      "\xE0\x80\xAF",
      "\xF0\x80\x80\xAF",  // overlong
      "\xED\xA0\x80",      // a surrogate
      "\xF4\x90\x80\x80",  // above U+10FFFF
      "\x80",
      "\xFF",
      "a\xC3",
      "\xE2\x82"  // cut or stray bytes
  };
  for (const std::string& id : refused) {
    CAPTURE(id);
    CHECK_FALSE(domain::is_valid_id(id));
  }
  CHECK(domain::is_valid_id("\xC2\xA0"));  // the first character behind the controls
}
