// Where the HTTP interface listens, and who may ask.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace http {

// Descriptors beside those of max_connections, for two listening sockets: reserved slots, and connections that have
// given way or were refused, and are not closed yet.
inline constexpr std::int64_t closing_connections = 400;

struct Options {
  std::string listen = "127.0.0.1:8082";  // "host:port", "[v6]:port" or "unix:/path"; port 0: any free one
  std::optional<std::string> token_file;
  std::int64_t max_connections = 512;
};

}  // namespace http
