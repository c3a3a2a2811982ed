// A proxy before members of etcd, which passes each request on to a chosen member. Requests of one connection may be
// answered by different clusters. The thread that creates it destroys it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "etcd/connection.h"
#include "loopback_server.h"

namespace etcd_test {

class Balancer {
 public:
  // `choose` gives the member's endpoint for each request by its path; "": refused, as without permission.
  // `edit` may change the answer.
  using Choose = std::function<std::string(const std::string& path)>;
  using Edit = std::function<std::string(std::string body)>;

  // `closes`: each connection after one answer.
  explicit Balancer(Choose choose, bool closes = false, Edit edit = nullptr)
      : choose_(std::move(choose)), closes_(closes), edit_(std::move(edit)) {}

  std::string endpoint() const { return server_.url(); }
  int connections() const { return connections_; }

 private:
  void serve(int client) {
    ++connections_;
    std::string got;
    while (answer_one(client, got) && !closes_) {
    }
  }

  bool answer_one(int client, std::string& got) {
    std::size_t head = 0;
    while ((head = got.find("\r\n\r\n")) == got.npos) {
      if (!receive(client, got)) return false;
    }
    const std::string path = got.substr(5, got.find(' ', 5) - 5);  // POST <path>
    const std::string length = "Content-Length: ";
    const std::size_t body = std::stoul(got.substr(got.find(length) + length.size()));
    while (got.size() < head + 4 + body) {
      if (!receive(client, got)) return false;
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    const std::string member = choose_(path);
    auto answer = member_.post(member, {path, got.substr(head + 4, body)}, until);
    if (member.empty()) answer.status = 403;
    if (member.empty()) answer.body = R"({"error":"etcdserver: permission denied","code":7})";
    got.erase(0, head + 4 + body);
    if (edit_) answer.body = edit_(std::move(answer.body));
    const std::string text = "HTTP/1.1 " + std::to_string(answer.status) +
                             " So\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
    return ::send(client, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  static bool receive(int client, std::string& got) {
    char piece[65536];
    const ssize_t size = ::recv(client, piece, sizeof piece, 0);
    if (size > 0) got.append(piece, static_cast<std::size_t>(size));
    return size > 0;
  }

  const Choose choose_;
  const bool closes_;
  const Edit edit_;
  std::atomic<int> connections_{0};
  etcd::Connection member_{etcd::Options{}};
  LoopbackServer server_{[this](int client) { serve(client); }};
};

}  // namespace etcd_test
