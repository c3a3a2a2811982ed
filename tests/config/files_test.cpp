#include <sys/stat.h>
#include <unistd.h>

#include <iterator>

#include "catch.h"
#include "config/settings.h"
#include "written.h"

namespace {

config::Loaded load_files(const std::string& config_file, bool required, std::optional<std::string> env_file = {}) {
  config::Sources sources;
  sources.config_file = config_file;
  sources.config_file_required = required;
  sources.env_file = std::move(env_file);
  return config::load(sources);
}

void check_one_error(const config::Loaded& loaded, const std::string& text) {
  REQUIRE(loaded.problems.size() == 1);
  CHECK(loaded.problems[0].is_error);
  CHECK(loaded.problems[0].text == text);
}

}  // namespace

TEST_CASE("the defaults hold without any file") {
  const TemporaryFolder folder;
  const config::Loaded loaded = load_files(folder.file("config.toml"), false);
  CHECK(loaded.problems.empty());
  CHECK(loaded.settings.size() == std::size(config::settings()));
  for (const config::Setting& setting : loaded.settings) CHECK(setting.origin == "default");
}

TEST_CASE("a named file must be there") {
  const TemporaryFolder folder;
  const std::string toml = folder.file("mine.toml");
  check_one_error(
      load_files(toml, true),
      "mine.toml: \"" + toml +
          "\" cannot be read (No such file or directory): correct that, or name another file with --config");
  const std::string env = folder.file("mine.env");
  check_one_error(
      load_files(toml, false, env),
      "mine.env: \"" + env +
          "\" cannot be read (No such file or directory): correct that, or name another file with --env-file");
}

TEST_CASE("an existing file that cannot be read is an error, named or not") {
  const TemporaryFolder folder;
  ::mkdir(folder.file("config.toml").c_str(), 0700);
  ::mkdir(folder.file(".env").c_str(), 0700);
  const config::Loaded loaded = load_files(folder.file("config.toml"), false);
  REQUIRE(loaded.problems.size() == 2);
  CHECK(loaded.problems[0].text.find("config.toml\" cannot be read (is a directory)") != std::string::npos);
  CHECK(loaded.problems[1].text.find(".env: \"") == 0);
  CHECK(loaded.problems[1].text.find("is a directory") != std::string::npos);
}

TEST_CASE("a file without read permission is an error") {
  if (::geteuid() == 0) return;  // root may read everything
  const TemporaryFolder folder;
  ::chmod(folder.write(".env", "SCALE=true\n").c_str(), 0);
  const config::Loaded loaded = load_files(folder.file("config.toml"), false);
  REQUIRE(loaded.problems.size() == 1);
  CHECK(loaded.problems[0].text.find("Permission denied") != std::string::npos);
}

TEST_CASE("a file of more than 64 MiB is no configuration") {
  const TemporaryFolder folder;
  const std::string path = folder.write("config.toml", "");
  REQUIRE(::truncate(path.c_str(), (off_t{64} << 20) + 1) == 0);
  const config::Loaded loaded = load_files(path, true);
  REQUIRE(loaded.problems.size() == 1);
  CHECK(loaded.problems[0].text.find("is larger than 64 MiB") != std::string::npos);
}

TEST_CASE("both files may begin with a byte order mark") {
  const config::Loaded loaded =
      written::load("\xEF\xBB\xBFscale = true\n", "\xEF\xBB\xBFMAX_SERVER_CAPACITY=7\nAVG_ROOM_OCCUPANCY=1");
  CHECK(loaded.problems.empty());
  CHECK(loaded.configuration.domain.scale);
  CHECK(loaded.configuration.domain.max_server_capacity == 7);
}

TEST_CASE("messages name a file as given, and .env is looked for beside config.toml") {
  const TemporaryFolder folder;
  const std::string toml = folder.write("prod.toml", "scle = true\n");
  folder.write(".env", "SCALE=maybe\n");
  const config::Loaded loaded = load_files(toml, true);
  REQUIRE(loaded.problems.size() == 2);
  CHECK(loaded.problems[0].text == "prod.toml:1: unknown key \"scle\" (did you mean \"scale\"?)");
  CHECK(loaded.problems[1].text.find(".env:1: SCALE: \"maybe\" is not true or false") == 0);

  const std::string env = folder.write("prod.env", "SCALE=perhaps\n");
  const config::Loaded named = load_files(folder.file("none.toml"), false, env);
  REQUIRE(named.problems.size() == 1);
  CHECK(named.problems[0].text.find("prod.env:1: SCALE: \"perhaps\"") == 0);
}

TEST_CASE("the database's path counts as unknown if an unreadable part may name another database") {
  const written::Environment named{{"DATABASE_PATH", "/x.db"}};
  const struct {
    const char* toml;
    const char* env;
    written::Environment environment;
    bool known;
  } cases[] = {
      {"", "", {}, true},
      {"scle = true\n", "LOG_LEVEL=loud\n(\n", {}, true},
      {"= broken\n", "", {}, false},
      {"= broken\n", "", named, false},
      {"database.path = 5\n", "", {}, false},
      {"database.path = 5\n", "DATABASE_PATH=/x.db\n", {}, false},
      {"database.path = \"/x.db\"\n", "DATABASE_PATH=\"/y.db\n", {}, false},
      {"database.path = \"/x.db\"\n", "ROOM_SIDECAR_DATABASE_PATH=/y.db \\\n", {}, false},
      {"", "DATABASE_PATH=\"/y.db\n", named, true},
      {"", "DATABASE_PATH=\"/y.db\nDATABASE_PATH=/y.db\n", {}, true},
  };
  for (const auto& item : cases) {
    CAPTURE(item.toml, item.env);
    CHECK(written::load(item.toml, item.env, item.environment).is_database_known == item.known);
  }
  const TemporaryFolder folder;
  ::mkdir(folder.file(".env").c_str(), 0700);
  CHECK_FALSE(load_files(folder.file("config.toml"), false).is_database_known);
}

TEST_CASE("a configuration file is classified by its content") {
  const TemporaryFolder folder;
  using config::ConfigFile;
  CHECK(load_files(folder.file("config.toml"), false).file == ConfigFile::missing);
  CHECK(load_files(folder.file("config.toml"), true).file == ConfigFile::unusable);
  const std::pair<const char*, ConfigFile> cases[] = {{"", ConfigFile::blank},
                                                      {"\xEF\xBB\xBF \t\r\n\n", ConfigFile::blank},
                                                      {"# scale = true\n", ConfigFile::comments},
                                                      {"[http]\n[sessions]\n", ConfigFile::comments},
                                                      {"[http]\nmax_connections = 9\n", ConfigFile::settings},
                                                      {"= 5\n", ConfigFile::unusable}};
  for (const auto& [text, file] : cases) {
    CAPTURE(text);
    CHECK(load_files(folder.write("config.toml", text), true).file == file);
  }
}

TEST_CASE("the command line and the process environment determine the sources") {
  const char* const environment[] = {"SCALE=true", "EMPTY=", "ODD", "A=b=c", "SCALE=false", nullptr};
  const config::Sources usual = config::default_sources({}, {}, environment);
  CHECK(usual.config_file == "/etc/room-sidecar/config.toml");
  CHECK_FALSE(usual.config_file_required);
  CHECK_FALSE(usual.env_file);
  CHECK(usual.environment == written::Environment{{"SCALE", "true"}, {"EMPTY", ""}, {"A", "b=c"}, {"SCALE", "false"}});
  const config::Sources named = config::default_sources("c.toml", "e.env", nullptr);
  CHECK(named.config_file == "c.toml");
  CHECK(named.config_file_required);
  CHECK(named.env_file == "e.env");

  // As getenv(3): the first of two variables with one name counts.
  config::Sources first = usual;
  first.config_file = "/nonexistent/config.toml";
  CHECK(config::load(first).configuration.domain.scale);
}

TEST_CASE("a command of root's reads no link or pipe of another user's at the default `.env`") {
  if (::geteuid() != 0) return;  // only root can play another user
  const TemporaryFolder folder;
  const std::string env = folder.file(".env");
  const std::string other = folder.write("other", "= secret\n");
  const auto load = [&] { return load_files(folder.file("config.toml"), false); };
  const auto refused = [&](const std::string& why) {
    return ".env: \"" + env + "\" cannot be read (" + why + "): correct that, or name another file with --env-file";
  };
  REQUIRE(::symlink(other.c_str(), env.c_str()) == 0);
  CHECK(load().problems.front().text.find("other") == std::string::npos);
  CHECK(load().problems.front().text.find("cannot be read") == std::string::npos);  // root's own link
  REQUIRE(::lchown(env.c_str(), 65534, 65534) == 0);
  check_one_error(load(), refused("is a link that root does not own, so root does not follow it"));
  SECTION("through a link of root's") {
    REQUIRE(::rename(env.c_str(), folder.file("next").c_str()) == 0);
    REQUIRE(::symlink("next", env.c_str()) == 0);
    check_one_error(load(), refused("is a link that root does not own, so root does not follow it"));
  }
  SECTION("a ring") {
    ::unlink(env.c_str());
    REQUIRE(::symlink(".env", env.c_str()) == 0);
    CHECK(load().problems.size() == 1);
  }
  SECTION("a pipe") {
    ::unlink(env.c_str());
    REQUIRE(::mkfifo(env.c_str(), 0666) == 0);
    REQUIRE(::chown(env.c_str(), 65534, 65534) == 0);
    check_one_error(load(), refused("is no plain file, and root does not own it"));
  }
  SECTION("a file is read whichever user owns it, and a named one is read whatever it is") {
    CHECK(load_files(folder.file("config.toml"), false, env).problems.front().text.find("NAME=value") !=
          std::string::npos);
    ::unlink(env.c_str());
    folder.write(".env", "SCALE=true\n");
    REQUIRE(::chown(env.c_str(), 65534, 65534) == 0);
    CHECK(load().problems.empty());
  }
}
