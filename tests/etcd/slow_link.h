// A link to a member of etcd that delays each piece of its answers: an etcd that is slow, but works. A test can look at
// each request before the member gets it, and drop it. Answers to some requests can be delayed while a watch goes on.
// The thread that creates it destroys it.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "comes_true.h"
#include "loopback_server.h"

namespace etcd_test {

class SlowLink {
 public:
  // Sees each piece of a request; false: the connection ends instead. Any thread.
  using Look = std::function<bool(std::string_view piece)>;

  // The member's endpoint is one of loopback.
  SlowLink(const std::string& endpoint, std::chrono::milliseconds late, Look look = nullptr)
      : member_port_(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))), late_(late), look_(std::move(look)) {}
  ~SlowLink() { ending_ = true; }
  SlowLink(const SlowLink&) = delete;
  SlowLink& operator=(const SlowLink&) = delete;

  std::string endpoint() const { return server_.url(); }
  // From now on answers to requests with that text in them wait until let_go(). Once.
  void hold(std::string text) {
    held_text_ = std::move(text);
    holds_ = true;
  }
  void let_go() { holds_ = false; }

 private:
  // False once the sender has ended the connection.
  static bool pass_on(int from, int to, const Look& look) {
    char piece[65536];
    const ssize_t size = ::recv(from, piece, sizeof piece, 0);
    if (size > 0 && look && !look(std::string_view(piece, static_cast<std::size_t>(size)))) return false;
    return size > 0 && ::send(to, piece, static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
  }

  void relay(int client) const {
    const int member = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(member_port_));
    bool is_open = ::connect(member, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    bool is_held = false;
    const auto look = [&](std::string_view piece) {
      if (piece.starts_with("POST ")) is_held = false;
      if (holds_ && piece.find(held_text_) != piece.npos) is_held = true;
      return !look_ || look_(piece);
    };
    while (is_open && !ending_) {
      pollfd ends[] = {{client, POLLIN, 0}, {member, POLLIN, 0}};
      ::poll(ends, 2, 20);  // and then looks whether it is to end
      if (ends[0].revents != 0) is_open = pass_on(client, member, look);
      if (ends[1].revents == 0 || !is_open) continue;
      std::this_thread::sleep_for(late_);
      if (is_held) comes_true([this] { return !holds_ || ending_; });
      is_open = pass_on(member, client, nullptr);
    }
    ::close(member);
    ::close(client);
  }

  const int member_port_;
  const std::chrono::milliseconds late_;
  const Look look_;
  std::atomic<bool> ending_{false};
  std::string held_text_;
  std::atomic<bool> holds_{false};
  std::vector<std::jthread> relays_;  // of the server's thread, which ends before them
  LoopbackServer server_{
      [this](int connection) { relays_.emplace_back([this, client = ::dup(connection)] { relay(client); }); }};
};

}  // namespace etcd_test
