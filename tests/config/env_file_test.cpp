#include "config/env_file.h"
#include "logging/options.h"

#include <algorithm>

#include "catch.h"
#include "written.h"

namespace {

config::EnvText parse_env(std::string_view text,
                          const std::vector<std::string>& our_names = {"NAME", "A", "B", "X", "Y", "SCALE"}) {
  return config::parse_env(text, [&](std::string_view name) {
    return std::find(our_names.begin(), our_names.end(), name) != our_names.end();
  });
}

}  // namespace

TEST_CASE("a line of a .env file is read in every accepted form") {
  const std::pair<const char*, const char*> cases[] = {
      {"NAME=value", "value"},
      {"NAME=value\r", "value"},
      {"  NAME = value  ", "value"},
      {"\tNAME\t=\tvalue\t", "value"},
      {"export NAME=value", "value"},
      {"export\t NAME = value", "value"},
      {"NAME=", ""},
      {"NAME=   ", ""},
      {"NAME=\"\"", ""},
      {"NAME=''", ""},
      {"NAME=\"a b\"", "a b"},
      {"NAME=' a b '", " a b "},
      {"NAME=value # comment", "value"},
      {"NAME=value\t#comment", "value"},
      {"NAME= # comment", ""},
      {"NAME=a#b", "a#b"},
      {"NAME=#b", "#b"},
      {"NAME=\"a # b\" # comment", "a # b"},
      {"NAME='a # b'#comment", "a # b"},
      {"NAME=a=b", "a=b"},
      {"NAME=a b", "a b"},
      {"NAME=IL:gxy1,gxy2;US:gxy3", "IL:gxy1,gxy2;US:gxy3"},
      {"NAME=\"say \\\"hi\\\"\\n\"", "say \"hi\"\n"},
      {"NAME='a\\nb'", "a\\nb"},
      {"NAME=\"a\\b\"", "a\\b"},
      {"NAME=\"it's\"", "it's"},
      {"NAME=$HOME", "$HOME"},
      {"NAME=a\"b\"", "a\"b\""},
  };
  for (const auto& item : cases) {
    CAPTURE(item.first);
    const config::EnvText read = parse_env(item.first);
    CHECK(read.faults.empty());
    REQUIRE(read.entries.size() == 1);
    CHECK(read.entries[0].name == "NAME");
    CHECK(read.entries[0].value == item.second);
    CHECK(read.entries[0].line == 1);
  }
}

TEST_CASE("the word export may be a name, and known names need not be shell names") {
  const config::EnvText read =
      parse_env("export=2\nexport = 3\nexported=4\nmy.app-key=1\n1=5\n", {"export", "my.app-key", "1"});
  CHECK(read.faults.empty());
  REQUIRE(read.entries.size() == 4);
  CHECK(read.entries[0].name == "export");
  CHECK(read.entries[1].name == "export");
  CHECK(read.entries[2].name == "my.app-key");
  CHECK(read.entries[3].name == "1");
}

TEST_CASE("lines of other programs in the file are no errors") {
  const std::string line =
      GENERATE(std::string("PS1='a'b"), std::string("OTHER=\"unclosed"), std::string("OTHER='unclosed"),
               std::string("OTHER='a' 'b'"), std::string("export FOO"), std::string("export FOO BAR"),
               std::string("set -a"), std::string("FOO BAR=1"), std::string("FOO+=x"), std::string("FOO: x"),
               std::string("my.app-key=1"), std::string("SCALER"), std::string("OTHER=\"a\nb\nc\""),
               std::string("export OTHER = 'a\r\n-----BEGIN KEY-----\r\n\r\nb=' x"),
               std::string("OTHER=\"a \\\" b\n\\\" =\n\""), std::string("OTHER=`a\n{b}\n(c)\n`"),
               std::string("OTHER='it\\'s\n{x}\n'"), std::string("OTHER=\"\"\"\n\"quoted\"\n[x]\n\"\"\""),
               std::string("OTHER={\n  \"a\": [1,\n 2],\n  \"b\": \"}\"\n}"), std::string("OTHER=[\r\n1,\r\n2\r\n]"),
               std::string("OTHER=(\n -x\n (y)\n)"), std::string("OTHER=$(cat <<END\n{}\nEND\n)"),
               std::string("OTHER=a \\\n  -v \\\r\n  {b}"), std::string("docker run \\\n  (x)"),
               std::string("OTHER=-----BEGIN KEY-----\n+a/b=\n/c\n-----END KEY-----"), std::string("ключ=1"));
  CAPTURE(line);
  const config::EnvText read = parse_env("A=1\n" + line + "\nB=2\n");
  CHECK(read.faults.empty());
  CHECK(read.doubts.empty());
  REQUIRE(read.entries.size() == 2);
  CHECK(read.entries[1].name == "B");
  const auto lines = static_cast<std::size_t>(std::count(line.begin(), line.end(), '\n'));
  CHECK(read.entries[1].line == lines + 3);
}

TEST_CASE("an apparent setting inside another program's quotes is not read, and causes a warning") {
  const config::Loaded loaded =
      written::load({}, "OTHER=\"\n export SCALE=true\nLAST=\"\nWHEN_FULL=reject\nOPEN='\nLOG_LEVEL=warn\n");
  CHECK(loaded.ok());
  CHECK_FALSE(loaded.configuration.domain.scale);
  CHECK(written::setting(loaded, "balancing.when_full").origin == ".env:4");
  CHECK(written::setting(loaded, "log.level").origin == ".env:6");
  CHECK(written::warnings(loaded) ==
        std::vector<std::string>{".env:2: SCALE: is not read, since it is within the quotes of "
                                 "OTHER, which open in line 1: close them there if this is a "
                                 "setting"});
}

TEST_CASE("unclosed brackets and quotes hide no settings behind them") {
  for (const char* open : {"OTHER={\"a\": [", "OTHER=[1", "OTHER=(x", "OTHER=$(x", "PATH='C:\\dir\\'"}) {
    CAPTURE(open);
    const config::EnvText read = parse_env(std::string(open) + "\nSCALE=true\nLAST='}])'\n");
    CHECK(read.faults.empty());
    CHECK(read.doubts.empty());
    CHECK(read.entries.size() == 1);
  }
}

TEST_CASE("a setting appended to a line without a line end is reported, wherever the line stands") {
  for (const char* line :
       {"OTHER=xSCALE=true", "OTHER=\"x\"SCALE=true", "OTHER=SCALE=true", "# noteSCALE=true", "#SCALE=falseSCALE=true",
        "# xSCALE=true # as usual", "OTHER=xSCALE=IL:gxy1; US:gxy2", "OTHER=\"a\nb\"SCALE=true",
        "OTHER=`a\nb`SCALE=true", "OTHER={\n}SCALE=true", "OTHER=a \\\n bSCALE=true",
        "OTHER=-----BEGIN K-----\nx\n-----END K-----SCALE=true", "docker runSCALE=true", "export OTHER=xSCALE=true"}) {
    CAPTURE(line);
    const config::EnvText read = parse_env(line);
    CHECK(read.entries.empty());
    CHECK(read.faults.empty());
    REQUIRE(read.doubts.size() == 1);
    CHECK(read.doubts[0].text.find("SCALE: is not read, since it is within ") == 0);
    const std::string text(line);
    CHECK(read.doubts[0].line == static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
  }
}

TEST_CASE("prose, addresses and other programs' longer names are no appended settings") {
  for (const char* line : {"# set SCALE=true to switch", "#SCALE=true", "OTHER='say SCALE=true, then reload'",
                           "URL=https://x/?SCALE=2&A=3", "OTHER=--x IMAGE_SCALE=2", "SCALE_OF_IT=3", "RESCALE=1"}) {
    CAPTURE(line);
    CHECK(parse_env(line).doubts.empty());
  }
}

TEST_CASE("blank lines and comments count as lines, with any line end") {
  const config::EnvText read = parse_env("# first\r\n\r\n   # third\nA=1\r\n\nB=2");
  CHECK(read.faults.empty());
  REQUIRE(read.entries.size() == 2);
  CHECK(read.entries[0].line == 4);
  CHECK(read.entries[1].line == 6);
}

TEST_CASE("a malformed line that belongs to no other program is an error with its number; other lines are read") {
  struct {
    const char* line;
    const char* fault;
  } cases[] = {
      {"SCALE", "is neither NAME=value nor a comment"},
      {"export SCALE", "is neither NAME=value nor a comment"},
      {"=true", "is neither NAME=value nor a comment"},
      {"SCALE: true", "is neither NAME=value nor a comment"},
      {"A B=1", "is neither NAME=value nor a comment"},
      {"export A B=1", "is neither NAME=value nor a comment"},
      {"export FOO SCALE", "is neither NAME=value nor a comment"},
      {"FOO SCALE=1", "is neither NAME=value nor a comment"},
      {"SCALE+=1", "is neither NAME=value nor a comment"},
      {"=======", "is neither NAME=value nor a comment"},
      {"{\"a\":1}", "is neither NAME=value nor a comment"},
      {"A=\"open", "A: the quote is not closed in this line"},
      {"A='open", "A: the quote is not closed in this line"},
      {"A=\"open\\\"", "A: the quote is not closed in this line"},
      {"A=\"a\"b", "A: there is text after the closing quote"},
      {"A='a' 'b'", "A: there is text after the closing quote"},
      {"<<<<<<< HEAD", "is neither NAME=value nor a comment"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.line);
    const config::EnvText read = parse_env("X=1\n" + std::string(item.line) + "\nY=2\n");
    REQUIRE(read.faults.size() == 1);
    CHECK(read.faults[0].line == 2);
    CHECK(read.faults[0].text == item.fault);
    CHECK(read.entries.size() == 2);
  }
  CHECK(parse_env(std::string("A=1\nB=\0\n", 8)).faults.size() == 1);
}

TEST_CASE("a bad line of .env refuses the configuration without showing what may be a secret") {
  const config::Loaded loaded = written::load({}, "SCALE=true\n(secret words)\n");
  CHECK(written::errors(loaded) == std::vector<std::string>{".env:2: is neither NAME=value nor a comment"});
  CHECK(loaded.configuration.domain.scale);
}

TEST_CASE("the last of duplicate variables counts, with a warning that names both lines") {
  const config::Loaded loaded =
      written::load({}, "MAX_SERVER_CAPACITY=abc\nOTHER=1\nOTHER=2\nMAX_SERVER_CAPACITY=500\n");
  CHECK(loaded.ok());
  CHECK(loaded.configuration.domain.max_server_capacity == 500);
  CHECK(written::setting(loaded, "balancing.max_server_capacity").origin == ".env:4");
  CHECK(written::warnings(loaded) ==
        std::vector<std::string>{
            ".env:4: MAX_SERVER_CAPACITY: is set before, at .env:1: this one counts, remove the other"});
}

TEST_CASE("an empty last duplicate unsets the variable") {
  const config::Loaded loaded = written::load("scale = true\n", "SCALE=false\nSCALE=\n");
  CHECK(loaded.configuration.domain.scale);
  CHECK(written::setting(loaded, "scale").origin == "config.toml:1");
}

TEST_CASE("a value of .env overridden by the process environment causes a warning") {
  const config::Loaded loaded = written::load({}, "\nSCALE=false\nLOG_LEVEL=warn\nWHEN_FULL=reject\nHOME=/x\n",
                                              {{"SCALE", "true"}, {"LOG_LEVEL", ""}, {"HOME", "/root"}});
  CHECK(loaded.ok());
  CHECK(loaded.configuration.domain.scale);
  CHECK(loaded.configuration.log.level == logging::Level::warn);
  CHECK(written::warnings(loaded) ==
        std::vector<std::string>{".env:2: SCALE: \"false\" has no effect: the process environment "
                                 "sets it to \"true\""});
}
