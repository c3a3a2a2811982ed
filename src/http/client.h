// A small HTTP client for the sidecar's own interface: the CLI's and the tests'. One thread at a time.
// That nobody answers is a value, not an exception.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "http/transfer.h"

namespace http {

struct ClientAnswer {
  int status = 0;  // 0: no answer, and `problem` says why
  std::string body;
  std::string problem;
  bool is_too_large = false;  // something answers there, and sends more than a sidecar would

  bool reached() const { return status != 0; }
};

class Client {
 public:
  // "127.0.0.1:8082", "[::1]:8082", "localhost:8082", "http://…" or "unix:/path"; an address that
  // means "any" (0.0.0.0, [::]) is asked on loopback. What is none of these is never reached.
  static constexpr std::size_t largest_answer = 64UL * 1024 * 1024;  // without its head, which has 64 KiB at most

  explicit Client(std::string address, std::optional<std::string> token = std::nullopt);

  // The target is sent as it stands, so it is to be percent-encoded already. The timeout is for the whole answer,
  // however slowly it comes.
  ClientAnswer request(std::string_view method, std::string_view target, std::string_view body = {},
                       std::chrono::milliseconds timeout = std::chrono::seconds{10});

 private:
  struct Place {
    std::string url;
    std::string unix_socket;  // its path, if it is one
    std::string host_field;
  };
  static std::optional<Place> place_of(std::string_view address);

  const std::string address_;
  const std::optional<std::string> token_;
  const std::optional<Place> place_;
  Transfers transfers_{};
};

}  // namespace http
