#include "etcd_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>

#include "etcd/base64.h"
#include "etcd/client.h"
#include "etcd/connection.h"
#include "json/value.h"

namespace etcd_test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const std::string with_key = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

std::string etcd_path() {
  std::vector<fs::path> places;
  if (const char* root = std::getenv("ETCD_ROOT")) places.push_back(fs::path(root) / "usr/bin");
  std::stringstream search(std::getenv("PATH") != nullptr ? std::getenv("PATH") : "");
  for (std::string place; std::getline(search, place, ':');) places.emplace_back(place);
  for (const auto& place : places) {
    if (::access((place / "etcd").c_str(), X_OK) == 0) return place / "etcd";
  }
  throw std::runtime_error("there is no etcd, neither below ETCD_ROOT nor in PATH; ./dev test fetches it");
}

// As tests/e2e/process.py does it: a socket with the port in its name keeps it for this process.
bool is_reserved_now(int port) {
  const std::string name = "room-sidecar-test-port-" + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int mine = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(mine, reinterpret_cast<sockaddr*>(&address), size) == 0) return true;  // it ends with this process
  ::close(mine);
  return false;
}

// Below those that the system hands out, so that no connection takes it while its member is down.
int free_port() {
  static std::mt19937 random{std::random_device{}()};
  for (int i = 0; i < 1000; ++i) {
    const int port = std::uniform_int_distribution<int>(10'000, 31'999)(random);
    if (!is_reserved_now(port)) continue;
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool is_free = ::bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    if (is_free) return port;
  }
  throw std::runtime_error("no port is free");
}

void run(const std::string& folder, const std::string& command) {
  const std::string line = "cd '" + folder + "' && { " + command + "; } >>openssl.log 2>&1";
  if (std::system(line.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

}  // namespace

std::string bcrypt_cost_for(std::chrono::milliseconds least) {
  constexpr int some = 10;
  EtcdProcess etcd({1, false, {"--bcrypt-cost", std::to_string(some)}});
  auto took = least;
  for (int i = 0; i < 3; ++i) {
    const std::string user = R"({"name":")" + std::to_string(i) + R"(","password":"secret"})";
    const auto begun = std::chrono::steady_clock::now();
    etcd.post("/v3/auth/user/add", user);  // takes as long: it makes the hash
    took = std::min(took, std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun));
  }
  int cost = some;  // one more doubles the time
  for (; took < least; took *= 2) ++cost;
  return std::to_string(cost);
}

EtcdProcess::EtcdProcess(Setup setup) : setup_(std::move(setup)), members_(static_cast<std::size_t>(setup_.members)) {
  ::signal(SIGPIPE, SIG_IGN);  // as the sidecar does
  if (setup_.tls) make_certificates();
  // Another test may take a port before etcd does. Then etcd ends, and other ports are tried.
  for (int attempt = 0; attempt < 5; ++attempt) {
    choose_ports();
    for (std::size_t i = 0; i < members_.size(); ++i) launch(i);
    if (all_ready()) return;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      kill(i);
      fs::remove_all(folder_.file("data" + std::to_string(i)));
    }
  }
  throw std::runtime_error("etcd does not start: " + log());
}

EtcdProcess::~EtcdProcess() {
  for (std::size_t i = 0; i < members_.size(); ++i) kill(i);
}

void EtcdProcess::choose_ports() {
  options_.endpoints.clear();
  for (Member& member : members_) {
    member.client_port = free_port();
    member.peer_port = free_port();
    options_.endpoints.push_back((setup_.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") +
                                 std::to_string(member.client_port));
  }
}

void EtcdProcess::launch(std::size_t i) {
  const std::string number = std::to_string(i);
  const auto peer = [this](std::size_t of) { return "http://127.0.0.1:" + std::to_string(members_[of].peer_port); };
  std::string all;
  for (std::size_t each = 0; each < members_.size(); ++each) {
    all += (each == 0 ? "n" : ",n") + std::to_string(each) + "=" + peer(each);
  }
  const bool is_alone = members_.size() == 1;
  std::vector<std::string> words{
      etcd_path(), "--name", "n" + number, "--data-dir", folder_.file("data" + number), "--listen-client-urls",
      options_.endpoints[i], "--advertise-client-urls", options_.endpoints[i], "--listen-peer-urls", peer(i),
      "--initial-advertise-peer-urls", peer(i), "--initial-cluster", all, "--initial-cluster-state", "new",
      // A lone member need not wait for others, and is ready sooner.
      "--heartbeat-interval", is_alone ? "20" : "100", "--election-timeout", is_alone ? "200" : "1000", "--pre-vote",
      "--experimental-watch-progress-notify-interval", "1s", "--logger", "zap", "--log-level", "warn"};
  if (setup_.tls) {
    words.insert(words.end(), {"--cert-file", folder_.file("server.crt"), "--key-file", folder_.file("server.key"),
                               "--client-cert-auth", "--trusted-ca-file", folder_.file("ca.crt")});
  }
  words.insert(words.end(), setup_.flags.begin(), setup_.flags.end());
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log = folder_.file("log" + number);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  members_[i].pid = pid;
}

bool EtcdProcess::is_ready(std::size_t member) const {
  const auto status = etcd::Client(options_of(member)).members().front();
  return !status.problem && status.has_leader;
}

bool EtcdProcess::all_ready() {
  bool is_any_gone = false;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const bool is_well = comes_true([&] { return (is_any_gone = is_gone(members_[i])) || is_ready(i); });
    if (!is_well || is_any_gone) return false;
  }
  return true;
}

bool EtcdProcess::is_gone(Member& member) {
  if (member.pid == -1 || ::waitpid(member.pid, nullptr, WNOHANG) == 0) return member.pid == -1;
  member.pid = -1;
  return true;
}

etcd::Options EtcdProcess::patient_options() const {
  etcd::Options options = options_;
  options.attempt_timeout = 20s;
  options.timeout = 30s;
  return options;
}

etcd::Options EtcdProcess::options_of(std::size_t member) const {
  etcd::Options options = options_;
  options.endpoints = {options_.endpoints[member]};
  return options;
}

std::size_t EtcdProcess::leader() const {
  std::size_t found = 0;
  const bool is_found = comes_true([&] {
    const auto members = etcd::Client(options_).members();
    for (found = 0; found < members.size(); ++found) {
      if (members[found].is_leader && !members[found].problem) return true;
    }
    return false;
  });
  if (!is_found) throw std::runtime_error("no member leads");
  return found;
}

void EtcdProcess::kill(std::size_t member) { end(member, SIGKILL); }

void EtcdProcess::end(std::size_t member, int signal) {
  if (members_[member].pid == -1) return;
  ::kill(members_[member].pid, signal);
  ::waitpid(members_[member].pid, nullptr, 0);
  members_[member].pid = -1;
}

void EtcdProcess::start(std::size_t member) {
  launch(member);
  if (!comes_true([&] { return is_ready(member); })) throw std::runtime_error("etcd does not start again: " + log());
}

void EtcdProcess::start_as_another_cluster() {
  kill(0);
  fs::remove_all(folder_.file("data0"));
  setup_.flags.insert(setup_.flags.end(), {"--initial-cluster-token", "another"});
  start(0);
}

void EtcdProcess::restart() {
  for (std::size_t i = 0; i < members_.size(); ++i) end(i, SIGTERM);
  for (std::size_t i = 0; i < members_.size(); ++i) launch(i);
  if (!all_ready()) throw std::runtime_error("etcd does not start again: " + log());
}

void EtcdProcess::halt(std::size_t member) {
  ::kill(members_[member].pid, SIGSTOP);
  ::waitpid(members_[member].pid, nullptr, WUNTRACED);
}

void EtcdProcess::go_on(std::size_t member) { ::kill(members_[member].pid, SIGCONT); }

std::string EtcdProcess::post(const std::string& path, const std::string& body, const std::string& token) const {
  etcd::Connection connection(options_);
  const auto answer = connection.post(endpoint(0), {path, body, token}, std::chrono::steady_clock::now() + 30s);
  if (answer.status != 200) throw std::runtime_error(path + ": " + answer.problem + answer.body);
  return answer.body;
}

void EtcdProcess::post_as_root(const std::string& path, const std::string& body) const {
  const auto answer = post("/v3/auth/authenticate", R"({"name":"root","password":"the root's"})");
  const auto json = json::Value::parse(answer);
  post(path, body, *json->find("token")->string());
}

void EtcdProcess::turn_authentication_on(const std::string& user, const std::string& password,
                                         const std::string& prefix) const {
  const std::string name = R"({"name":")" + user + R"(","password":")" + password + R"("})";
  post("/v3/auth/user/add", R"({"name":"root","password":"the root's"})");
  post("/v3/auth/role/add", R"({"name":"root"})");
  post("/v3/auth/user/grant", R"({"user":"root","role":"root"})");
  post("/v3/auth/user/add", name);
  post("/v3/auth/role/add", R"({"name":"sidecars"})");
  post("/v3/auth/role/grant", R"({"name":"sidecars","perm":{"permType":"READWRITE","key":")" + etcd::to_base64(prefix) +
                                  R"(","range_end":")" + etcd::to_base64(etcd::end_of_prefix(prefix)) + R"("}})");
  post("/v3/auth/user/grant", R"({"user":")" + user + R"(","role":"sidecars"})");
  post("/v3/auth/enable", "{}");
}

int EtcdProcess::password_checks() const {
  etcd::Connection connection(options_);
  int checks = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].pid == -1) continue;
    const auto answer = connection.post(endpoint(i), {"/metrics"}, std::chrono::steady_clock::now() + 10s);
    const std::string counter = R"(grpc_server_started_total{grpc_method="Authenticate")";
    const auto at = answer.body.find(counter);
    if (at == std::string::npos) throw std::runtime_error("no count of password checks: " + answer.problem);
    checks += std::stoi(answer.body.substr(answer.body.find(' ', at)));
  }
  return checks;
}

// Without names (CN): etcd would take a client's for a user's, and its gateway refuses that (cluster.md, pitfall 15).
void EtcdProcess::make_certificates() {
  folder_.write("client.ext", "extendedKeyUsage=clientAuth\n");
  const auto authority = [&](const std::string& name) {
    run(folder_.path(),
        with_key + " -subj /O=room-sidecar -x509 -days 2 -keyout " + name + ".key -out " + name + ".crt");
  };
  authority("ca");
  authority("stranger");
  set_certificate(setup_.names, setup_.subject);
  certify("client", "/O=room-sidecar");
  options_.ca_file = folder_.file("ca.crt");
  options_.cert_file = folder_.file("client.crt");
  options_.key_file = folder_.file("client.key");
}

void EtcdProcess::set_certificate(const std::string& names, const std::string& subject) const {
  folder_.write("server.ext", "subjectAltName=" + names + "\nextendedKeyUsage=serverAuth,clientAuth\n");
  certify("server", subject);
}

void EtcdProcess::certify(const std::string& name, const std::string& subject) const {
  run(folder_.path(), with_key + " -subj " + subject + " -keyout " + name + ".key -out " + name + ".csr");
  run(folder_.path(), "openssl x509 -req -in " + name +
                          ".csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile " + name + ".ext -out " +
                          name + ".crt");
}

std::string EtcdProcess::log() const {
  std::stringstream text;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (std::ifstream file(folder_.file("log" + std::to_string(i))); file) text << file.rdbuf();
  }
  return text.str();
}

}  // namespace etcd_test
