// A listener on loopback in place of a gateway: it sends each connection one answer, unchanged, and closes. Without an
// answer it is like a stopped process: it only takes connections.
// The test's thread creates it, its own thread answers.
#pragma once

#include <string>
#include <utility>

#include "loopback_server.h"

namespace health_test {

class GatewaySocket {
 public:
  explicit GatewaySocket(std::string answer = "") : answer_(std::move(answer)) {}

  const std::string& address() const { return server_.address(); }
  std::string url() const { return server_.url() + "/janus/info"; }

 private:
  void serve(int connection) const {
    char buffer[4096];
    if (::recv(connection, buffer, sizeof buffer, 0) > 0) say_and_hang_up(connection, answer_);
  }

  const std::string answer_;
  LoopbackServer server_{answer_.empty() ? nullptr
                                         : LoopbackServer::Serve([this](int connection) { serve(connection); })};
};

}  // namespace health_test
