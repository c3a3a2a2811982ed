#include "cli/table.h"

#include "catch.h"

using cli::Align;
using cli::display_width;
using cli::printable;
using cli::Table;

TEST_CASE("columns are as wide as their widest cell, numbers are right-aligned, lines end without blanks") {
  Table table({{"NAME"}, {"USERS", Align::right}, {"STATE"}});
  table.add_row({"gxy1", "5", "up"});
  table.add_row({"gxy10-long", "1234567", ""});
  CHECK(table.text() ==
        "NAME          USERS  STATE\n"
        "gxy1              5  up\n"
        "gxy10-long  1234567\n");
}

TEST_CASE("letters of other scripts take as many columns as on a terminal") {
  Table table({{"ROOM"}, {"NAME"}});
  table.add_row({"שיעור", "a"});
  table.add_row({"課程", "b"});
  table.add_row({"e\xCC\x81t\xC3\xA9", "c"});  // e with a combining acute, then é
  CHECK(table.text() ==
        "ROOM   NAME\n"
        "שיעור  a\n"
        "課程   b\n"
        "e\xCC\x81t\xC3\xA9    c\n");
}

TEST_CASE("characters that could forge or hide a line are escaped") {
  struct Case {
    std::string text;
    std::string shown;
  };
  const auto given = GENERATE(Case{"plain é 課 😀", "plain é 課 😀"}, Case{"a\nb", "a\\nb"}, Case{"a\r\tb", "a\\r\\tb"},
                              Case{"\x1b[31m", "\\x1b[31m"}, Case{std::string(1, '\0'), "\\x00"}, Case{"\x7f", "\\x7f"},
                              Case{"\xC2\x85", "\\u0085"},
                              Case{"\xE2\x80\xAE"
                                   "abc",
                                   "\\u202eabc"},
                              Case{"\xE2\x80\x8B", "\\u200b"}, Case{"\xEF\xBB\xBF", "\\ufeff"},
                              Case{"\xFF"
                                   "a",
                                   "\\xffa"},
                              Case{"\xC3", "\\xc3"}, Case{"\xE4\xB8", "\\xe4\\xb8"},
                              Case{"\xED\xA0\x80", "\\xed\\xa0\\x80"}, Case{"\xC0\xAF", "\\xc0\\xaf"}, Case{"", ""});
  CAPTURE(given.text);
  CHECK(printable(given.text) == given.shown);
}

TEST_CASE("the width of a text is counted in columns, not in bytes") {
  CHECK(display_width("") == 0);
  CHECK(display_width("gxy1") == 4);
  CHECK(display_width("é") == 1);
  CHECK(display_width("課") == 2);
  CHECK(display_width("😀") == 2);
  CHECK(display_width("e\xCC\x81") == 1);
}
