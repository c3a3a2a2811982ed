#include "http/shed_connections.h"

#include <cerrno>
#include <string>

#include <sys/socket.h>
#include <unistd.h>

#include "http/date.h"
#include "http/refusal.h"

namespace http {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::string farewell() {
  static const std::string text = [] {
    const auto response = refusal(too_many_connections.status, too_many_connections.code, too_many_connections.message);
    return "\r\nContent-Length: " + std::to_string(response.body.size()) +
           "\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n\r\n" + response.body;
  }();
  return "HTTP/1.1 503 Service Unavailable\r\nDate: " + std::string(http_date()) + text;
}

// Has the client closed? What it still sent is thrown away, a bounded part of it.
bool has_left(int fd) {
  char waste[4096];
  for (int i = 0; i < 16; ++i) {
    const auto n = ::recv(fd, waste, sizeof waste, MSG_DONTWAIT);
    if (n <= 0) return n == 0 || errno != EAGAIN;
  }
  return false;
}

}  // namespace

void ShedConnections::shed(int fd) {
  const auto text = farewell();
  const auto sent = ::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_WR);
  if (sent < 0) {
    ::close(fd);
    return;
  }
  // Closing while the request is on its way would reset the connection before the 503 is read.
  closing_.push_back({fd, Clock::now() + 200ms});
  if (closing_.size() > most_closing) {
    ::close(closing_.front().fd);
    closing_.pop_front();
  }
}

void ShedConnections::close_the_finished() {
  const auto now = Clock::now();
  std::erase_if(closing_, [&](const Closing& one) {
    if (!has_left(one.fd) && now < one.until) return false;
    ::close(one.fd);
    return true;
  });
}

void ShedConnections::close_all() {
  for (const auto& one : closing_) ::close(one.fd);
  closing_.clear();
}

}  // namespace http
