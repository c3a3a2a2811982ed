// A server on a real socket that gives prepared answers, one request a connection.
// The test's thread prepares it, its own thread answers; asked() may be called once the client is done.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "loopback_server.h"

class CannedServer {
 public:
  // "GET /v2/config" → status and body. What is not there is a 404 of the sidecar's form.
  using Answers = std::map<std::string, std::pair<int, std::string>>;

  explicit CannedServer(Answers answers) : answers_(std::move(answers)) {}

  const std::string& address() const { return server_.address(); }

  // The heads of the requests so far.
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void answer(int connection) {
    std::string head;
    char buffer[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const auto count = ::recv(connection, buffer, sizeof buffer, 0);
      if (count <= 0) return;
      head.append(buffer, static_cast<std::size_t>(count));
    }
    const auto request = head.substr(0, head.find(" HTTP/"));
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(head);
    }
    const auto found = answers_.find(request);
    const auto [status, body] = found != answers_.end()
                                    ? found->second
                                    : std::pair{404, std::string(R"({"error":"not_found","message":"Nothing here."})")};
    const auto text =
        "HTTP/1.1 " + std::to_string(status) +
        " X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    say_and_hang_up(connection, text);
  }

  const Answers answers_;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  LoopbackServer server_{[this](int connection) { answer(connection); }};
};
