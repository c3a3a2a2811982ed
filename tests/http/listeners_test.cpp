// Sockets opened by configuration and handed over by systemd, and the token's file.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.h"
#include "http/access.h"
#include "http/client.h"
#include "http/test_server.h"
#include "http/wire.h"
#include "pace.h"
#include "temporary_folder.h"

using namespace http_test;

namespace {

bool exists(const std::string& path) {
  struct stat there = {};
  return ::lstat(path.c_str(), &there) == 0;
}

sockaddr_un named(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  return name;
}

// As another program makes it, with the shortest queue.
int listening_at(const std::string& path) {
  const sockaddr_un name = named(path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  REQUIRE(::listen(fd, 0) == 0);
  return fd;
}

std::string refusal_of(const std::string& listen) {
  try {
    for (const auto& listener : http::open_listeners(listen)) http::close_listener(listener);
  } catch (const std::runtime_error& failure) {
    return failure.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an address is a number and a port, or a Unix path") {
  for (const char* good : {"127.0.0.1:8082", "0.0.0.0:0", "[::1]:8082", "[::]:80", "localhost:1", "unix:/run/x.sock"}) {
    CAPTURE(good);
    CHECK_FALSE(http::listen_problem(good));
  }
  const std::string long_path = "unix:/" + std::string(107, 'a');
  for (const char* bad : {"", "8082", ":8082", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.1:80", "127.0.0.1:-1",
                          "127.0.0.1:+1", "::1:80", "[::1]", "[::1:80", "[1.2.3.4]:1", "host.example:80",
                          "unix:", "unix:relative", "http://127.0.0.1:80", long_path.c_str()}) {
    CAPTURE(bad);
    CHECK(http::listen_problem(bad));
    CHECK(refusal_of(bad) != "");
  }
}

TEST_CASE("port 0 is any free port, and the address names the port") {
  TestServer server;
  CHECK(server.address().rfind("127.0.0.1:", 0) == 0);
  CHECK(server.address() != "127.0.0.1:0");
  CHECK(refusal_of(server.address()).find("another program has that port") != std::string::npos);
}

TEST_CASE("the server listens on IPv6, and its own address is a local Host") {
  TestServer server(quick(), "[::1]:0");
  CHECK(server.address().rfind("[::1]:", 0) == 0);
  CHECK(http::Client(server.address()).request("GET", "/healthz").status == 200);
}

TEST_CASE("a Unix socket file has mode 0660, and is removed when the server stops") {
  const TemporaryFolder folder;
  const auto path = folder.file("s");
  const auto before = ::umask(0077);
  {
    TestServer server(quick(), "unix:" + path);
    CHECK(server.address() == "unix:" + path);
    struct stat there = {};
    REQUIRE(::lstat(path.c_str(), &there) == 0);
    CHECK((there.st_mode & 0777) == 0660);
    CHECK(http::Client(server.address()).request("GET", "/healthz").status == 200);
    CHECK(refusal_of("unix:" + path).find("another program listens there") != std::string::npos);
    CHECK(http::Client(server.address()).request("GET", "/healthz").status == 200);
  }
  ::umask(before);
  CHECK_FALSE(exists(path));
}

TEST_CASE("an abandoned socket file is replaced, and any other file is left alone") {
  const TemporaryFolder folder;
  const auto path = folder.file("s");
  const auto left_behind = http::open_listeners("unix:" + path);
  ::close(left_behind.front().fd);  // as kill -9 would
  REQUIRE(exists(path));
  {
    TestServer server(quick(), "unix:" + path);
    CHECK(http::Client(server.address()).request("GET", "/healthz").status == 200);
  }
  std::ofstream(path) << "precious";
  CHECK(refusal_of("unix:" + path).find("no socket") != std::string::npos);
  CHECK(exists(path));
  CHECK(refusal_of("unix:" + folder.file("no/s")) != "");
}

TEST_CASE("a socket whose owner is too busy to accept is not taken from it") {
  const TemporaryFolder folder;
  const auto path = folder.file("s");
  const sockaddr_un name = named(path);
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  const int busy = listening_at(path);
  std::vector<int> waiting;
  do {
    waiting.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  } while (::connect(waiting.back(), address, sizeof name) == 0);
  CHECK(refusal_of("unix:" + path).find("another program listens there") != std::string::npos);
  CHECK(exists(path));
  for (const int fd : waiting) ::close(fd);
  ::close(busy);
}

TEST_CASE("a socket file that another process has made is not removed") {
  const TemporaryFolder folder;
  const auto listen = "unix:" + folder.file("s");
  const auto first = http::open_listeners(listen);
  ::unlink(folder.file("s").c_str());
  const auto second = http::open_listeners(listen);
  http::close_listener(first.front());
  CHECK(exists(folder.file("s")));
  http::close_listener(second.front());
  CHECK_FALSE(exists(folder.file("s")));
}

TEST_CASE("a socket file deleted while the server runs is created again, and no other file is touched") {
  const TemporaryFolder folder;
  const auto path = folder.file("s");
  const auto address = "unix:" + path;
  TestServer server(quick(), address);
  Wire kept(address);
  const std::string ask = "GET /healthz HTTP/1.1\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    REQUIRE(::unlink(path.c_str()) == 0);
    REQUIRE(comes_true([&] { return exists(path); }));
    struct stat made = {};
    REQUIRE(::lstat(path.c_str(), &made) == 0);
    CHECK((made.st_mode & 0777) == 0660);
    CHECK(http::Client(address).request("GET", "/healthz").status == 200);
    kept.say(ask);
    CHECK(kept.read_answer().status == 200);
  }
  {
    // A file of that name comes before: it is left alone, and the server waits until it has gone.
    const auto other = folder.file("other");
    std::ofstream(other) << "precious";
    REQUIRE(::rename(other.c_str(), path.c_str()) == 0);
    const auto before = server.server().heartbeats();
    CHECK(comes_true([&] { return server.server().heartbeats() > before + 2; }));
    struct stat there = {};
    CHECK((::lstat(path.c_str(), &there) == 0 && S_ISREG(there.st_mode)));
    ::unlink(path.c_str());
    CHECK(comes_true([&] { return http::Client(address).request("GET", "/healthz").status == 200; }));
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);  // nothing is left behind
}

TEST_CASE("a socket's path may be as long as an address can be") {
  const TemporaryFolder folder;
  const std::string path = folder.path() + '/' + std::string(107 - folder.path().size() - 1, 's');
  const auto listener = http::open_listeners("unix:" + path).front();
  CHECK(exists(path));
  http::close_listener(listener);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a socket file accepts connections from the moment it appears") {
  const TemporaryFolder folder;
  const auto path = folder.file("s");
  const sockaddr_un name = named(path);
  std::atomic<bool> is_over{false};
  std::atomic<int> refused{0}, accepted{0};
  // Odd while the socket is being closed: it then refuses clients that found its file before its removal.
  std::atomic<int> closings{0};
  std::thread others([&] {
    while (!is_over) {
      const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const int before = closings;
      const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name);
      const bool is_refused = result != 0 && errno == ECONNREFUSED;
      if (result == 0) ++accepted;
      if (is_refused && before % 2 == 0 && before == closings) ++refused;  // there, and taken for abandoned
      ::close(fd);
    }
  });
  bool are_asking = true;
  for (int i = 0; i < 2000 && are_asking; ++i) {
    const auto listener = http::open_listeners("unix:" + path).front();
    const int so_far = accepted;
    if (i % 10 == 0) are_asking = comes_true([&] { return accepted > so_far; });
    ++closings;
    http::close_listener(listener);
    ++closings;
  }
  is_over = true;
  others.join();
  CHECK(are_asking);
  CHECK(refused == 0);
}

TEST_CASE("instances take turns at the socket files of one folder") {
  const TemporaryFolder folder;
  const auto path = folder.file("s");
  ::close(http::open_listeners("unix:" + path).front().fd);  // as kill -9 would
  const int transaction = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(::flock(transaction, LOCK_EX) == 0);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<http::Listener> opened;
  std::thread starter([&] { opened = http::open_listeners("unix:" + path); });
  bool is_made = false;
  std::chrono::steady_clock::duration passed{};
  while (!is_made && passed < 200ms) {
    is_made = Wire("unix:" + path).connected();
    passed = std::chrono::steady_clock::now() - begin;
  }
  const bool was_early = is_made && passed < 500ms;  // it waits no longer
  ::close(transaction);
  starter.join();
  CHECK_FALSE(was_early);
  REQUIRE(opened.size() == 1);
  CHECK(http::is_in_place(opened.front()));
  http::close_listener(opened.front());
}

TEST_CASE("a deleted socket file is there again within a second, though another program keeps the folder's lock") {
  const TemporaryFolder folder;
  const auto path = folder.file("s");
  TestServer server(quick(), "unix:" + path);
  const int kept = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(::flock(kept, LOCK_EX) == 0);
  ::unlink(path.c_str());
  CHECK(tests::takes_less_than(1s, [&] { REQUIRE(comes_true([&] { return exists(path); })); }));
  ::close(kept);
}

TEST_CASE("one of many instances starting at once on an abandoned socket file gets it, and keeps it") {
  const TemporaryFolder folder;
  const auto path = folder.file("s");
  for (int round = 0; round < 100; ++round) {
    ::close(http::open_listeners("unix:" + path).front().fd);  // as kill -9 would
    std::atomic<bool> go{false};
    std::vector<std::thread> starters;
    std::mutex mutex;
    std::vector<http::Listener> won;
    for (int i = 0; i < 4; ++i) {
      starters.emplace_back([&] {
        while (!go) std::this_thread::yield();
        try {
          const auto listener = http::open_listeners("unix:" + path).front();
          const std::lock_guard lock(mutex);
          won.push_back(listener);
        } catch (const std::runtime_error&) {
        }
      });
    }
    go = true;
    for (auto& starter : starters) starter.join();
    CHECK(won.size() == 1);
    CHECK((won.empty() || http::is_in_place(won.front())));
    for (const auto& listener : won) http::close_listener(listener);
  }
}

TEST_CASE("sockets from systemd are adopted, served, and neither shut down nor removed") {
  const TemporaryFolder folder;
  const auto tcp = http::open_listeners("127.0.0.1:0").front();
  const http::Listener local{listening_at(folder.file("s")), true, "unix:" + folder.file("s")};
  const pid_t child = ::fork();
  if (child == 0) {  // as systemd starts a service: the sockets are descriptors 3 and 4
    const int parked[] = {::fcntl(tcp.fd, F_DUPFD, 100), ::fcntl(local.fd, F_DUPFD, 100)};
    ::dup2(parked[0], 3);
    ::dup2(parked[1], 4);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "2", 1);
    auto listeners = http::adopt_systemd_listeners();
    const bool as_requested = listeners.size() == 2 && listeners[0].address == tcp.address && !listeners[0].is_unix &&
                              listeners[1].address == local.address && listeners[1].is_unix &&
                              ::getenv("LISTEN_FDS") == nullptr;
    bool served = true;
    {
      TestServer server(quick(), std::move(listeners));
      for (const auto& address : {tcp.address, local.address}) {
        Wire wire(address);
        wire.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        served = served && wire.read_answer().status == 200;
      }
    }
    ::_exit(as_requested && served ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(Wire(tcp.address).connected());
  CHECK(Wire(local.address).connected());
  http::close_listener(tcp);
  http::close_listener(local);
}

TEST_CASE("no socket is adopted without systemd") { CHECK(http::adopt_systemd_listeners().empty()); }

TEST_CASE("systemd's copy of a token file counts only where the file cannot be read, and if it is not empty") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("copies"));
  ::setenv("CREDENTIALS_DIRECTORY", folder.file("copies").c_str(), 1);
  const auto path = folder.file("s");
  const auto copy = folder.file("copies/s");
  std::ofstream(copy) << "copied\n";
  CHECK(http::read_token_file(path).token == "copied");
  CHECK(http::read_token_file(path).credential == copy);
  std::ofstream(path) << "own\n";
  CHECK(http::read_token_file(path).token == "own");
  CHECK(http::read_token_file(path).credential == "");
  std::ofstream(path) << "\n";  // can be read
  CHECK(http::read_token_file(path).problem.find("token file " + path + " must hold") != std::string::npos);
  std::filesystem::remove(path);
  std::ofstream(copy) << "two words";
  CHECK(http::read_token_file(path).problem.find("token file " + copy + " must hold") != std::string::npos);
  std::ofstream(copy) << "\n";
  CHECK(http::read_token_file(path).problem.find("token file " + path + " can't be read") != std::string::npos);
  ::unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_CASE("a token file holds one line of its alphabet") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& text) {
    std::ofstream(folder.file("s")) << text;
    return http::read_token_file(folder.file("s"));
  };
  for (const std::string& good : std::vector<std::string>{"abcXYZ019-._~+/=", "a\n", "a\r\n"}) {
    CAPTURE(good);
    CHECK(read(good).token == good.substr(0, good.find_first_of("\r\n")));
    CHECK(read(good).problem == "");
  }
  for (const auto& bad :
       {std::string(""), std::string("\n"), std::string("a b"), std::string("a\nb"), std::string("a\n\n"),
        std::string("a\0", 2), std::string(5000, 'a'), std::string("\xc3\xa4")}) {
    CAPTURE(bad);
    CHECK_FALSE(read(bad).token);
    CHECK(read(bad).problem.find("must hold one line") != std::string::npos);
  }
  CHECK(http::read_token_file(folder.file("none")).problem.find("can't be read") != std::string::npos);
  CHECK(http::read_token_file("/tmp").problem.find("can't be read") != std::string::npos);
}
