// Something that listens on loopback where a gateway should: it gives each connection one answer, as it
// stands, and closes. Without an answer it is as a stopped process: connections are taken, and that is all.
// The test's thread makes it, its own thread answers.
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
