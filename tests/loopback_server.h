// A server on a free port of loopback, with a thread of its own that serves one connection after the other. Without
// anything to serve, the kernel takes connections, and no byte is sent.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

class LoopbackServer {
 public:
  using Serve = std::function<void(int connection)>;

  // The connection is closed afterwards. To be declared behind all that `serve` uses.
  explicit LoopbackServer(Serve serve = nullptr) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(socket_, 64);
    socklen_t size = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    if (!serve) return;
    thread_ = std::thread([this, serve = std::move(serve)] {
      for (int connection; (connection = ::accept(socket_, nullptr, nullptr)) >= 0; ::close(connection)) {
        serve(connection);
      }
    });
  }
  ~LoopbackServer() {
    ::shutdown(socket_, SHUT_RDWR);  // wakes accept
    if (thread_.joinable()) thread_.join();
    ::close(socket_);
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  int socket() const { return socket_; }
  const std::string& address() const { return address_; }
  std::string url() const { return "http://" + address_; }

 private:
  int socket_ = -1;
  std::string address_;
  std::thread thread_;
};

// Sends it all, and waits until the other side has closed.
inline void say_and_hang_up(int connection, std::string_view text) {
  ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
  ::shutdown(connection, SHUT_WR);
  char ignored[4096];
  while (::recv(connection, ignored, sizeof ignored, 0) > 0) {
  }
}
