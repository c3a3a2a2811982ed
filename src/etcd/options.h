// Which etcd to ask, and how patiently. Names are those of config.toml's [cluster].
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace etcd {

struct Options {
  // "http://10.0.0.1:2379" or "https://…", all of one kind; members of one etcd.
  std::vector<std::string> endpoints{};
  std::string prefix = "/room-sidecar/";  // of every key; ends with a slash
  std::optional<std::string> user{};      // with password_file: etcd's own authentication
  std::optional<std::string> password_file{};
  std::optional<std::string> ca_file{};    // with https: else the system's
  std::optional<std::string> cert_file{};  // the client's certificate, with key_file
  std::optional<std::string> key_file{};
  // For how long what was read may be used while etcd does not answer. No other cluster replaces the followed one
  // earlier, unless all endpoints have its id.
  std::chrono::milliseconds max_stale = std::chrono::minutes{5};
  // A request that needs etcd waits no longer than that, over all attempts.
  std::chrono::milliseconds timeout = std::chrono::seconds{3};
  // For one attempt at one member; then the next one is asked.
  std::chrono::milliseconds attempt_timeout = std::chrono::seconds{1};

  bool operator==(const Options&) const = default;
};

}  // namespace etcd
