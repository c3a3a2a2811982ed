#include "cli/command_line.h"

#include <vector>

#include "catch.h"

namespace {

using cli::Command;
using cli::CommandLine;
using cli::NothingToRun;

std::variant<CommandLine, NothingToRun> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "room-sidecar");
  return cli::parse_command_line(static_cast<int>(words.size()), words.data());
}

CommandLine parsed(std::vector<const char*> words) {
  const auto result = parse(std::move(words));
  REQUIRE(std::holds_alternative<CommandLine>(result));
  return std::get<CommandLine>(result);
}

NothingToRun refused(std::vector<const char*> words) {
  const auto result = parse(std::move(words));
  REQUIRE(std::holds_alternative<NothingToRun>(result));
  return std::get<NothingToRun>(result);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("each command is known by its name") {
  struct Case {
    std::vector<const char*> words;
    Command command;
  };
  const auto given = GENERATE(
      Case{{"serve"}, Command::serve}, Case{{"check"}, Command::check}, Case{{"config"}, Command::config},
      Case{{"reload"}, Command::reload}, Case{{"scale", "on"}, Command::scale},
      Case{{"rooms", "import", "f"}, Command::rooms_import}, Case{{"rooms", "list"}, Command::rooms_list},
      Case{{"rooms", "set", "5", "--default-gateway", "g"}, Command::rooms_set}, Case{{"status"}, Command::status},
      Case{{"assignments"}, Command::assignments}, Case{{"explain", "5"}, Command::explain},
      Case{{"why", "5"}, Command::why}, Case{{"drain", "g"}, Command::drain}, Case{{"undrain", "g"}, Command::undrain},
      Case{{"release", "5"}, Command::release}, Case{{"backup", "f"}, Command::backup},
      Case{{"restore", "f"}, Command::restore}, Case{{"cluster", "join"}, Command::cluster_join},
      Case{{"cluster", "leave"}, Command::cluster_leave});
  CHECK(parsed(given.words).command == given.command);
}

TEST_CASE("the configuration may be named before or after the command") {
  const auto words = GENERATE(std::vector<const char*>{"--config", "c", "--env-file", "e", "status"},
                              std::vector<const char*>{"status", "--config", "c", "--env-file", "e"},
                              std::vector<const char*>{"--config=c", "status", "--env-file=e"},
                              std::vector<const char*>{"rooms", "--config", "c", "list", "--env-file", "e"},
                              std::vector<const char*>{"--config", "x", "status", "--config", "c", "--env-file", "e"});
  const auto line = parsed(words);
  CHECK(line.config_file == "c");
  CHECK(line.env_file == "e");
}

TEST_CASE("options and subjects are parsed") {
  auto line = parsed({"explain", "2171", "--country", "IL", "--json", "--server", "unix:/s", "--token-file", "t"});
  CHECK(line.subject == "2171");
  CHECK(line.country == "IL");
  CHECK(line.json);
  CHECK(line.server == "unix:/s");
  CHECK(line.token_file == "t");
  line = parsed({"release", "--force", "2171"});
  CHECK(line.force);
  CHECK(line.subject == "2171");
  CHECK_FALSE(parsed({"drain", "gxy1"}).move);
  CHECK(parsed({"drain", "gxy1", "--move"}).move);
  line = parsed({"assignments", "--gateway", "gxy1"});
  CHECK(line.gateway == "gxy1");
  line = parsed({"rooms", "import", "-", "--create-gateways", "--janus-is-default"});
  CHECK(line.subject == "-");
  CHECK(line.create_gateways);
  CHECK(line.janus_is_default);
  CHECK(parsed({"serve", "--set-aside-damaged"}).set_aside_damaged);
  line = parsed({"cluster", "join", "--dry-run", "--json"});
  CHECK(line.dry_run);
  CHECK(line.json);
  CHECK_FALSE(parsed({"cluster", "join"}).dry_run);
  CHECK(parsed({"cluster", "leave", "--server", "unix:/s"}).server == "unix:/s");
}

TEST_CASE("a room or gateway may be called like a command, or begin with a dash after --") {
  CHECK(parsed({"drain", "status"}).subject == "status");
  CHECK(parsed({"explain", "import"}).subject == "import");
  CHECK(parsed({"drain", "--", "-gxy"}).subject == "-gxy");
}

TEST_CASE("wrong usage exits 2, says what is wrong and where help is") {
  struct Case {
    std::vector<const char*> words;
    std::string says;
  };
  const auto given =
      GENERATE(Case{{"statsu"}, "unknown command \"statsu\" (did you mean \"status\"?)"},
               Case{{"rooms", "lost"}, "unknown command \"lost\" (did you mean \"list\"?)"},
               Case{{"rooms"}, "a command is missing"}, Case{{"--config", "x"}, "a command is missing"},
               Case{{"--frobnicate"}, "unknown option \"--frobnicate\""},
               Case{{"status", "--jsn"}, "unknown option \"--jsn\" (did you mean \"--json\"?)"},
               Case{{"status", "x"}, "unexpected argument \"x\""},
               Case{{"status", "--force"}, "unknown option \"--force\""}, Case{{"explain"}, "ROOM is required"},
               Case{{"drain"}, "GW is required"}, Case{{"drain", "a", "b"}, "unexpected argument \"b\""},
               Case{{"drain", ""}, "GW"}, Case{{"release", ".."}, "ROOM"}, Case{{"explain", "a\nb"}, "ROOM: \"a\\nb\""},
               Case{{"rooms", "import"}, "FILE is required"},
               Case{{"rooms", "set", "5"}, "--default-gateway is required"}, Case{{"backup"}, "FILE is required"},
               Case{{"restore", ""}, "FILE is empty"}, Case{{"status", "--config"}, "--config"},
               Case{{"status", "--config="}, "--config"}, Case{{"status", "--server", ""}, "--server is empty"},
               Case{{"check", "--server", "a:1"}, "unknown option \"--server\""});
  CAPTURE(given.says);
  const auto result = refused(given.words);
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  CAPTURE(result.err);
  CHECK(contains(result.err, given.says));
  CHECK(contains(result.err, "--help"));
}

TEST_CASE("the help is shown as an error without a command") {
  const auto result = refused({});
  CHECK(result.exit_code == 2);
  CHECK(contains(result.err, "Usage: room-sidecar COMMAND"));
}

TEST_CASE("help and version exit 0") {
  CHECK(refused({"--help"}).exit_code == 0);
  CHECK(contains(refused({"--version"}).out, "room-sidecar "));
  const auto of_import = refused({"rooms", "import", "--help"});
  CHECK(of_import.exit_code == 0);
  CHECK(contains(of_import.out, "--create-gateways"));
  CHECK(contains(of_import.out, "Examples:"));
}

TEST_CASE("the help fits a screen of 80 columns and 40 lines, and names every command") {
  const auto help = refused({"--help"}).out;
  std::size_t lines = 0;
  std::size_t begin = 0;
  for (auto end = help.find('\n'); end != std::string::npos; end = help.find('\n', begin)) {
    CHECK(end - begin <= 88);
    begin = end + 1;
    ++lines;
  }
  CHECK(lines <= 40);
  for (const auto* name :
       {"serve", "check", "config", "reload", "rooms import", "rooms list", "rooms set", "status", "assignments",
        "explain", "why", "drain", "undrain", "release", "backup", "restore", "--config", "--env-file", "--version"}) {
    CHECK(contains(help, name));
  }
}
