// [cluster]: endpoints and prefix, refusals of one value and of several together, and the named files.
#include <sys/stat.h>

#include "catch.h"
#include "config/needed_files.h"
#include "written.h"

namespace {

using Texts = std::vector<std::string>;
using namespace std::chrono_literals;

struct Case {
  const char* lines;  // of [cluster]
  Texts errors;
};

void check(const std::vector<Case>& cases) {
  for (const Case& item : cases) {
    CAPTURE(item.lines);
    const auto loaded = written::load("[cluster]\n" + std::string(item.lines));
    CHECK(loaded.problems.size() == item.errors.size());
    CHECK(written::errors(loaded) == item.errors);
  }
}

const std::string member =
    " is not a member of etcd like \"http://127.0.0.1:2379\" or \"https://etcd1.example.org:2379\" (no path, nothing "
    "else)";
const std::string duration = " is not a duration above 0 like \"90s\", \"1m30s\" or \"500ms\"";
const std::string staleness =
    " is not a duration of at least 15s, like \"5m\" (while all is well, what is known of etcd is some seconds old)";
const std::string wait =
    " is not a duration above 0 and not above 4s (a signaling server waits meanwhile), like \"3s\" or \"500ms\"";
const std::string prefix = " is not a text like \"/room-sidecar/\" (up to 200 bytes without control characters)";
const std::string at =
    ": a member holds an @: user and password have settings of their own, cluster.user and "
    "cluster.password_file";
const std::string for_https = ": is for https://, and cluster.endpoints has http://: change them, or leave it out";

}  // namespace

TEST_CASE("a sidecar without [cluster] shares nothing") {
  const auto loaded = written::load({});
  CHECK(loaded.configuration.cluster == cluster::Options{});
  CHECK_FALSE(loaded.configuration.cluster.is_shared());
}

TEST_CASE("a whole [cluster] is accepted as it is written") {
  const auto loaded = written::load(
      "[cluster]\nengine = \"ETCD\"\nendpoints = [\"https://a\", \"https://b:1\"]\nprefix = \"x\"\nuser = \"u\"\n"
      "password_file = \"/p\"\nca_file = \"/ca\"\ncert_file = \"/c\"\nkey_file = \"/k\"\nmax_stale = \"1h\"\n"
      "timeout = \"4s\"\nattempt_timeout = \"4s\"\n");
  CHECK(loaded.problems.empty());
  cluster::Options expected;
  expected.engine = cluster::EngineKind::etcd;
  expected.endpoints = {"https://a:2379", "https://b:1"};
  expected.prefix = "x/";
  expected.user = "u";
  expected.password_file = "/p";
  expected.ca_file = "/ca";
  expected.cert_file = "/c";
  expected.key_file = "/k";
  expected.max_stale = 1h;
  expected.timeout = expected.attempt_timeout = 4s;
  CHECK(loaded.configuration.cluster == expected);
}

TEST_CASE("endpoints are a list in either source, without duplicates and blank items") {
  const Texts expected{"http://b:2379", "http://a:1"};
  const auto toml = written::load("cluster.endpoints = [\"http://b\", \" \", \"http://a:1\", \"http://B:2379\"]\n");
  const auto text = written::load("cluster.endpoints = \"http://b,http://a:1\"\n");
  const auto env = written::load({}, "CLUSTER_ENDPOINTS= http://b:2379 ,, http://a:1,http://b,\n");
  for (const auto* loaded : {&toml, &text, &env}) {
    CHECK(loaded->problems.empty());
    CHECK(loaded->configuration.cluster.endpoints == expected);
  }
  CHECK(written::setting(env, "cluster.endpoints").value == "http://b:2379,http://a:1");
  CHECK(written::setting(written::load({}, "CLUSTER_ENDPOINTS=,\n"), "cluster.endpoints").origin == "default");
}

TEST_CASE("the prefix ends with a slash") {
  const auto taken = [](const std::string& written) {
    return written::load({}, {}, {{"CLUSTER_PREFIX", written}}).configuration.cluster.prefix;
  };
  CHECK(taken("/a") == "/a/");
  CHECK(taken("/a/") == "/a/");
  CHECK(taken(" a b ") == "a b/");
  CHECK(taken("/") == "/");
  CHECK(taken("") == "/room-sidecar/");
  CHECK(taken(std::string(199, 'a')).size() == 200);
  // Its slash counts.
  CHECK_FALSE(written::load({}, {}, {{"CLUSTER_PREFIX", std::string(200, 'a')}}).ok());
}

TEST_CASE("an unparsable value in [cluster] is refused with line, key, value and expectation") {
  check({
      {"engine = \"redis\"", {"config.toml:2: cluster.engine: \"redis\" is not \"none\" or \"etcd\""}},
      {"engine = true", {"config.toml:2: cluster.engine: true is not \"none\" or \"etcd\""}},
      {"endpoints = 5",
       {"config.toml:2: cluster.endpoints: 5 is not a list of etcd's members like [\"http://127.0.0.1:2379\"]"}},
      {"endpoints = [\n\"http://a\",\n\"a:2379\", 5]",
       {"config.toml:4: cluster.endpoints: \"a:2379\"" + member, "config.toml:4: cluster.endpoints: 5" + member}},
      {"endpoints = [\"http://a/\"]", {"config.toml:2: cluster.endpoints: \"http://a/\"" + member}},
      {"endpoints = [\"http://me:secret@a\"]", {"config.toml:2: cluster.endpoints" + at}},
      {"endpoints = [\"http://a\", \"https://b\"]",
       {"config.toml:2: cluster.endpoints: http:// and https:// are mixed: write all members with the same one"}},
      {"prefix = \"/a\\nb/\"", {"config.toml:2: cluster.prefix: \"/a\\nb/\"" + prefix}},
      {"prefix = 5", {"config.toml:2: cluster.prefix: 5" + prefix}},
      {"user = 5", {"config.toml:2: cluster.user: 5 is not a user name without control characters"}},
      {"password_file = 5", {"config.toml:2: cluster.password_file: 5 is not a path without control characters"}},
      {"ca_file = true", {"config.toml:2: cluster.ca_file: true is not a path without control characters"}},
      {"cert_file = 5", {"config.toml:2: cluster.cert_file: 5 is not a path without control characters"}},
      {"key_file = [\"a\"]", {"config.toml:2: cluster.key_file: a list is not a path without control characters"}},
      {"max_stale = \"0s\"", {"config.toml:2: cluster.max_stale: \"0s\"" + staleness}},
      {"max_stale = \"14999ms\"", {"config.toml:2: cluster.max_stale: \"14999ms\"" + staleness}},
      {"timeout = \"0s\"", {"config.toml:2: cluster.timeout: \"0s\"" + wait}},
      {"timeout = \"4s1ms\"", {"config.toml:2: cluster.timeout: \"4s1ms\"" + wait}},
      {"timeout = 3", {"config.toml:2: cluster.timeout: 3" + wait}},
      {"attempt_timeout = \"0ms\"", {"config.toml:2: cluster.attempt_timeout: \"0ms\"" + duration}},
      {"max_stal = \"5m\"", {"config.toml:2: unknown key \"cluster.max_stal\" (did you mean \"cluster.max_stale\"?)"}},
  });
}

TEST_CASE("conflicting values in [cluster] are refused with their lines") {
  const std::string no_members =
      ": \"etcd\" needs the addresses of its members: set cluster.endpoints (CLUSTER_ENDPOINTS)";
  check({
      {"engine = \"etcd\"", {"config.toml:2: cluster.engine" + no_members}},
      {"endpoints = [\"http://a\"]", {}},
      {"user = \"u\"",
       {"config.toml:2: cluster.user: goes with cluster.password_file (CLUSTER_PASSWORD_FILE): set both or none"}},
      {"password_file = \"/p\"",
       {"config.toml:2: cluster.password_file: goes with cluster.user (CLUSTER_USER): set both or none"}},
      {"cert_file = \"/c\"",
       {"config.toml:2: cluster.cert_file: goes with cluster.key_file (CLUSTER_KEY_FILE): set both or none"}},
      {"key_file = \"/k\"",
       {"config.toml:2: cluster.key_file: goes with cluster.cert_file (CLUSTER_CERT_FILE): set both or none"}},
      {"endpoints = [\"http://a\"]\nca_file = \"/a\"\ncert_file = \"/c\"\nkey_file = \"/k\"",
       {"config.toml:3: cluster.ca_file" + for_https, "config.toml:4: cluster.cert_file" + for_https,
        "config.toml:5: cluster.key_file" + for_https}},
      {"endpoints = [\"https://a\"]\nca_file = \"/a\"\ncert_file = \"/c\"\nkey_file = \"/k\"", {}},
      {"endpoints = [\"http://localhost\"]\nuser = \"u\"\npassword_file = \"/p\"", {}},
      {"attempt_timeout = \"4s\"",
       {"config.toml:2: cluster.attempt_timeout: one attempt (attempt_timeout = 4s) is above what all have together "
        "(timeout = 3s)"}},
      {"timeout = \"500ms\"",
       {"config.toml:2: cluster.timeout: one attempt (attempt_timeout = 1s) is above what all have together "
        "(timeout = 500ms)"}},
      {"timeout = \"4s\"\nattempt_timeout = \"4s\"", {}},
  });
  CHECK(written::errors(written::load({}, "CLUSTER_ENGINE=etcd\n")) == Texts{".env:1: CLUSTER_ENGINE" + no_members});
  // From one source and another.
  CHECK(written::load("cluster.user = \"u\"\n", {}, {{"CLUSTER_PASSWORD_FILE", "/p"}}).ok());
}

TEST_CASE("a refused setting of [cluster] causes no further message") {
  for (const char* lines :
       {"engine = \"etcd\"\nendpoints = [\"a\"]", "user = \"u\"\npassword_file = 5", "key_file = \"/k\"\ncert_file = 5",
        "ca_file = \"/a\"\nendpoints = [\"http://a\", 5]", "attempt_timeout = \"4s\"\ntimeout = \"11s\""}) {
    CAPTURE(lines);
    CHECK(written::load("[cluster]\n" + std::string(lines)).problems.size() == 1);
  }
}

TEST_CASE("a secret readable by every user of the machine causes a warning") {
  const TemporaryFolder folder;
  const std::string file = folder.write("secret", "secret\n");
  const auto loaded = [&] { return written::load("http.token_file = \"" + file + "\"\n", "CLUSTER_KEY_FILE=" + file); };
  ::chmod(file.c_str(), 0640);
  CHECK(config::exposed_secrets(loaded()).empty());
  ::chmod(file.c_str(), 0644);
  const std::string warning = ": every user of this machine can read the secret in \"" + file +
                              "\"; make it unreadable for others (chmod o-rwx).";
  CHECK(config::exposed_secrets(loaded()) ==
        Texts{"config.toml:1: http.token_file" + warning, ".env:1: CLUSTER_KEY_FILE" + warning});
  CHECK(config::exposed_secrets(written::load("http.token_file = \"" + folder.file("none") + "\"\n")).empty());
}

TEST_CASE("unreadable files of [cluster] are named with their lines, if there is an engine") {
  const TemporaryFolder folder;
  const std::string good = folder.write("good", "secret\n");
  const std::string none = folder.file("none");
  const auto toml = [&](const std::string& file) {
    return "cluster.endpoints = [\"https://a\"]\ncluster.user = \"u\"\ncluster.password_file = \"" + file +
           "\"\ncluster.ca_file = \"" + file + "\"\ncluster.cert_file = \"" + file + "\"\ncluster.key_file = \"" +
           file + "\"\n";
  };
  const written::Environment etcd{{"CLUSTER_ENGINE", "etcd"}};
  CHECK(config::unreadable_files(written::load(toml(none))).empty());
  CHECK(config::unreadable_files(written::load({})).empty());
  CHECK(config::unreadable_files(written::load(toml(good), {}, etcd)).empty());
  const auto problem = [](const std::string& place, const std::string& file, const std::string& why) {
    return place + ": the file \"" + file + "\" can't be read (" + why + "); make it readable for the sidecar's user.";
  };
  const std::string missing = "No such file or directory";
  CHECK(config::unreadable_files(written::load(toml(none), {}, etcd)) ==
        Texts{problem("config.toml:3: cluster.password_file", none, missing),
              problem("config.toml:4: cluster.ca_file", none, missing),
              problem("config.toml:5: cluster.cert_file", none, missing),
              problem("config.toml:6: cluster.key_file", none, missing)});
  CHECK(config::unreadable_files(written::load(toml(good), "CLUSTER_KEY_FILE=/\n", etcd)) ==
        Texts{problem(".env:1: CLUSTER_KEY_FILE", "/", "is a directory")});
  // OpenSSL would wait for a pipe for ever; the sidecar itself reads the password, for at most a second.
  const std::string pipe = folder.file("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(config::unreadable_files(written::load(toml(pipe), {}, etcd)) ==
        Texts{problem("config.toml:3: cluster.password_file", pipe, "nothing writes to it: waited 1 s"),
              problem("config.toml:4: cluster.ca_file", pipe, "is no plain file"),
              problem("config.toml:5: cluster.cert_file", pipe, "is no plain file"),
              problem("config.toml:6: cluster.key_file", pipe, "is no plain file")});
}
