#include "cli/run.h"

#include "catch.h"
#include "scratch.h"

TEST_CASE("serve gets its arguments, and its exit code is the program's") {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  cli::ServeArguments seen;
  const auto serve = [&](const cli::ServeArguments& arguments) {
    seen = arguments;
    return 7;
  };
  const char* argv[] = {"room-sidecar", "--config", "c", "serve", "--env-file", "e", "--set-aside-damaged"};
  CHECK(cli::run(7, argv, serve, in, out, err) == 7);
  CHECK(seen.config_file == "c");
  CHECK(seen.env_file == "e");
  CHECK(seen.set_aside_damaged);
}

TEST_CASE("wrong usage exits 2, help and version exit 0, and none of them starts a sidecar") {
  CHECK(Scratch::run_bare({"room-sidecar"}).exit_code == 2);
  CHECK(Scratch::run_bare({"room-sidecar", "statsu"}).exit_code == 2);
  CHECK(Scratch::run_bare({"room-sidecar", "--help"}).exit_code == 0);
  CHECK(Scratch::run_bare({"room-sidecar", "--version"}).exit_code == 0);
  CHECK(Scratch::run_bare({"room-sidecar", "status", "--help"}).exit_code == 0);
  CHECK(Scratch::run_bare({"room-sidecar", "serve"}).exit_code == 42);
}

TEST_CASE("unwritable output is a failure") {
  const Scratch scratch;
  const auto config = scratch.file("config.toml");
  const char* argv[] = {"room-sidecar", "config", "--config", config.c_str()};
  std::istringstream in;
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  std::ostringstream err;
  CHECK(cli::run(4, argv, {}, in, out, err) == 1);
  CHECK(contains(err.str(), "could not be written"));
}

TEST_CASE("a missing file after --config is wrong usage for every command") {
  const auto words =
      GENERATE(std::vector<std::string>{"check"}, std::vector<std::string>{"config"},
               std::vector<std::string>{"status"}, std::vector<std::string>{"reload"},
               std::vector<std::string>{"drain", "gxy1"}, std::vector<std::string>{"rooms", "list"},
               std::vector<std::string>{"rooms", "import", "-"}, std::vector<std::string>{"backup", "/nowhere/copy"});
  auto all = words;
  all.insert(all.begin(), "room-sidecar");
  all.insert(all.end(), {"--config", "/nowhere/config.toml"});
  const auto outcome = Scratch::run_bare(all, "gateway_uid,default_gateway\n");
  CHECK(outcome.exit_code == 2);
  CHECK(contains(outcome.out + outcome.err, "config.toml"));
}
