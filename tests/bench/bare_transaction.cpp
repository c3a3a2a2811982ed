// What the shared store itself costs: CONNECTIONS clients that each have a room created if it is absent, one transaction
// a room, again and again for SECONDS, spread over the members of etcd at the loopback PORTs. The row is as long as a
// sidecar's. One thread; prints how long each took, as one line of JSON. A room that was there already counts as bad.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "quantiles.h"

namespace {

using Clock = std::chrono::steady_clock;

std::string base64(std::string_view bytes) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    unsigned long group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += at + i > bytes.size() ? '=' : alphabet[group >> (18 - 6 * i) & 63];
    }
  }
  return text;
}

std::string request(const std::string& room) {
  const std::string key = base64("/bare/room/" + room);
  const std::string value =
      base64(R"({"gateway":"gxy10","region":"IL","at":"2026-01-01T00:00:00.000Z","by":"0123456789abcdef",)"
             R"("id":"0123456789abcdef-01234567-)" +
             room + R"("})");
  const std::string body =
      R"({"compare":[{"key":")" + key +
      R"(","result":"EQUAL","target":"CREATE","create_revision":"0"}],"success":[{"request_put":{"key":")" + key +
      R"(","value":")" + value + R"("}}],"failure":[{"request_range":{"key":")" + key + R"("}}]})";
  return "POST /v3/kv/txn HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

// Keep-alive, one request under way.
class Connection {
 public:
  explicit Connection(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      std::perror("connect");
      std::exit(1);
    }
  }

  int descriptor() const { return socket_; }

  void ask(const std::string& text) {
    sent_ = Clock::now();
    received_.clear();
    if (send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) return;
    std::perror("send");
    std::exit(1);
  }

  // Is the whole answer there?
  bool receive() {
    char buffer[4096];
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0) {
      std::fputs("a member has closed its connection\n", stderr);
      std::exit(1);
    }
    received_.append(buffer, static_cast<std::size_t>(count));
    const auto head = received_.find("\r\n\r\n");
    return head != std::string::npos && received_.size() >= head + 4 + body_length(head);
  }

  bool has_won() const { return received_.find(R"("succeeded":true)") != std::string::npos; }
  double milliseconds() const { return std::chrono::duration<double, std::milli>(Clock::now() - sent_).count(); }

 private:
  std::size_t body_length(std::size_t head) const {
    const char* const found = strcasestr(received_.c_str(), "\r\ncontent-length:");
    if (found == nullptr || static_cast<std::size_t>(found - received_.c_str()) > head) return 0;
    const char* digits = found + std::strlen("\r\ncontent-length:");
    while (*digits == ' ') ++digits;
    std::size_t length = 0;
    std::from_chars(digits, received_.c_str() + received_.size(), length);
    return length;
  }

  int socket_;
  Clock::time_point sent_{};
  std::string received_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: bare_transaction SECONDS CONNECTIONS PREFIX PORT...\n", stderr);
    return 2;
  }
  const std::string prefix = argv[3];
  std::deque<Connection> connections;
  std::vector<pollfd> polled;
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    connections.emplace_back(static_cast<std::uint16_t>(std::atoi(argv[4 + i % (argc - 4)])));
    polled.push_back({connections.back().descriptor(), POLLIN, 0});
  }
  std::size_t rooms = 0;
  const auto ask = [&](Connection& connection) { connection.ask(request(prefix + "-" + std::to_string(++rooms))); };

  std::vector<double> took;
  long bad = 0;
  const auto end = Clock::now() + std::chrono::duration<double>(std::atof(argv[1]));
  for (Connection& connection : connections) ask(connection);
  while (Clock::now() < end) {
    poll(polled.data(), polled.size(), 10);
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents == 0 || !connections[i].receive()) continue;
      took.push_back(connections[i].milliseconds());
      if (!connections[i].has_won()) ++bad;
      ask(connections[i]);
    }
  }
  bench::print_quantiles(took, bad);
}
