// A connection to a server on loopback, kept alive, with at most one request under way. One thread. Ends the program
// if nobody listens there.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace bench {

using Clock = std::chrono::steady_clock;

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

  // Its time counts from `since`. False if the connection is broken.
  bool ask(const std::string& request, Clock::time_point since = Clock::now()) {
    since_ = since;
    answer_.clear();
    return send(socket_, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size());
  }

  enum class Progress { more, answered, broken };
  Progress receive() {
    char buffer[4096];
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0) return Progress::broken;
    answer_.append(buffer, static_cast<std::size_t>(count));
    const auto head = answer_.find("\r\n\r\n");
    if (head == std::string::npos) return Progress::more;
    return answer_.size() >= head + 4 + body_length(head) ? Progress::answered : Progress::more;
  }

  const std::string& answer() const { return answer_; }
  double milliseconds() const { return std::chrono::duration<double, std::milli>(Clock::now() - since_).count(); }

 private:
  std::size_t body_length(std::size_t head) const {
    const char* const found = strcasestr(answer_.c_str(), "\r\ncontent-length:");
    if (found == nullptr || static_cast<std::size_t>(found - answer_.c_str()) > head) return 0;
    const char* digits = found + std::strlen("\r\ncontent-length:");
    while (*digits == ' ') ++digits;
    std::size_t length = 0;
    std::from_chars(digits, answer_.c_str() + head, length);
    return length;
  }

  int socket_;
  Clock::time_point since_{};
  std::string answer_;
};

}  // namespace bench
