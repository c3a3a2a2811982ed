#include "http/wire.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace http_test {
namespace {

using Clock = std::chrono::steady_clock;

int connected_socket(int family, const void* address, std::size_t size) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, static_cast<const sockaddr*>(address), static_cast<socklen_t>(size)) != 0) {
    ::close(fd);
    return -1;
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

int connected_to(const std::string& address) {
  if (address.rfind("unix:", 0) == 0) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    address.copy(name.sun_path, sizeof name.sun_path - 1, 5);
    return connected_socket(AF_UNIX, &name, sizeof name);
  }
  const auto colon = address.rfind(':');
  const auto port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  if (address.front() == '[') {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = port;
    ::inet_pton(AF_INET6, address.substr(1, colon - 2).c_str(), &v6.sin6_addr);
    return connected_socket(AF_INET6, &v6, sizeof v6);
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = port;
  ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &v4.sin_addr);
  return connected_socket(AF_INET, &v4, sizeof v4);
}

}  // namespace

std::string WireAnswer::field(std::string_view name) const {
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
    const auto line = std::string_view(head).substr(at + 2);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.data(), name.data(), name.size()) == 0) {
      const auto value = line.substr(name.size() + 2);
      return std::string(value.substr(0, value.find("\r\n")));
    }
  }
  return "";
}

std::string WireAnswer::error() const {
  constexpr std::string_view start = "{\"error\":\"";
  if (body.rfind(start, 0) != 0) return "";
  return body.substr(start.size(), body.find('"', start.size()) - start.size());
}

Wire::Wire(const std::string& address) : fd_(connected_to(address)) {}

Wire::~Wire() {
  if (fd_ >= 0) ::close(fd_);
}

bool Wire::say(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void Wire::half_close() { ::shutdown(fd_, SHUT_WR); }

void Wire::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(fd_, -1));
}

bool Wire::was_read() const {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &size) != 0) return false;
  std::ifstream table("/proc/self/net/tcp");
  for (std::string line; std::getline(table, line);) {
    unsigned their_port = 0;
    unsigned unread = 0;
    const int read = std::sscanf(line.c_str(), "%*s %*s %*8[0-9A-F]:%4x %*x %*x:%8x", &their_port, &unread);
    if (read == 2 && their_port == ntohs(own.sin_port)) return unread == 0;
  }
  return false;
}

bool Wire::receive(Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  pollfd waiting{fd_, POLLIN, 0};
  if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) return false;
  char bytes[65536];
  const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
  if (n <= 0) return false;
  received_.append(bytes, static_cast<std::size_t>(n));
  return true;
}

WireAnswer Wire::read_answer(bool to_head, std::chrono::milliseconds within) {
  const auto until = Clock::now() + within;
  std::size_t end;
  while ((end = received_.find("\r\n\r\n")) == received_.npos) {
    if (!receive(until)) return {};
  }
  WireAnswer answer;
  answer.head = received_.substr(0, end + 2);
  const auto length = answer.field("Content-Length");
  const std::size_t size = to_head || length.empty() ? 0 : std::stoul(length);
  while (received_.size() < end + 4 + size) {
    if (!receive(until)) return {};
  }
  answer.status = std::stoi(answer.head.substr(9, 3));
  answer.body = received_.substr(end + 4, size);
  received_.erase(0, end + 4 + size);
  return answer;
}

bool Wire::ends_within(std::chrono::milliseconds within) {
  pollfd waiting{fd_, POLLIN, 0};
  if (!received_.empty() || ::poll(&waiting, 1, static_cast<int>(within.count())) <= 0) return false;
  char byte;
  return ::recv(fd_, &byte, 1, 0) <= 0;
}

}  // namespace http_test
