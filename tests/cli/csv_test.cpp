#include "cli/csv.h"

#include "catch.h"

namespace {

using Fields = std::vector<std::string>;

std::vector<Fields> fields_of(const cli::Csv& csv) {
  std::vector<Fields> result;
  for (const auto& record : csv.records) result.push_back(record.fields);
  return result;
}

}  // namespace

TEST_CASE("CSV is read as in RFC 4180, and as spreadsheets write it") {
  struct Case {
    std::string text;
    std::vector<Fields> fields;
  };
  const auto given = GENERATE(
      Case{"", {}}, Case{"\n\r\n\n", {}}, Case{"a,b\n1,2\n", {{"a", "b"}, {"1", "2"}}},
      Case{"a,b\n1,2", {{"a", "b"}, {"1", "2"}}}, Case{"a,b\r\n1,2\r\n", {{"a", "b"}, {"1", "2"}}},
      Case{"a,b\r1,2\r", {{"a", "b"}, {"1", "2"}}},
      Case{"\xEF\xBB\xBF"
           "a,b\n",
           {{"a", "b"}}},
      Case{"a,\n", {{"a", ""}}}, Case{"a,", {{"a", ""}}}, Case{",,\n", {{"", "", ""}}},
      Case{"\"a,b\",c\n", {{"a,b", "c"}}}, Case{"\"say \"\"hi\"\"\"\n", {{"say \"hi\""}}},
      Case{"\"two\nlines\",x\n", {{"two\nlines", "x"}}}, Case{"\"two\r\nlines\",x\r\n", {{"two\r\nlines", "x"}}},
      Case{"\"\"\n", {{""}}}, Case{" a , b \n", {{"a", "b"}}}, Case{" \"a \" ,b\n", {{"a ", "b"}}}, Case{"\t\n", {}});
  CAPTURE(given.text);
  const auto csv = cli::read_csv(given.text);
  CHECK(csv.problems.empty());
  CHECK(fields_of(csv) == given.fields);
}

TEST_CASE("a record knows its first line, also after quoted line breaks") {
  const auto csv = cli::read_csv("h\n\"a\n\r\nb\"\n\nlast\r\n");
  REQUIRE(csv.records.size() == 3);
  CHECK(csv.records[0].line == 1);
  CHECK(csv.records[1].line == 2);
  CHECK(csv.records[2].line == 6);
}

TEST_CASE("malformed CSV is reported with its line") {
  struct Case {
    std::string text;
    std::size_t line;
    std::string says;
  };
  const auto given =
      GENERATE(Case{"a\nb\"c\n", 2, "a quote inside a field"}, Case{"a\n\"b\nc\n", 2, "is not closed"},
               Case{"\"", 1, "is not closed"}, Case{"a\n\n\"b\"c,d\n", 3, "text after the closing quote"});
  CAPTURE(given.text);
  const auto csv = cli::read_csv(given.text);
  REQUIRE(csv.problems.size() == 1);
  CHECK(csv.problems[0].line == given.line);
  CHECK(csv.problems[0].text.find(given.says) != std::string::npos);
}
