// How many sidecars share their assignments: through which engine, and how patiently. Names are those of
// config.toml's [cluster].
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/time.h"

namespace cluster {

enum class EngineKind { none, etcd };

struct Options {
  EngineKind engine = EngineKind::none;
  // "http://10.0.0.1:2379" or "https://…", all of one kind; members of one etcd.
  std::vector<std::string> endpoints;
  std::string prefix = "/room-sidecar/";  // of every key; ends with a slash
  std::optional<std::string> user;        // with password_file: etcd's own authentication
  std::optional<std::string> password_file;
  std::optional<std::string> ca_file;    // with https: else the system's
  std::optional<std::string> cert_file;  // the client's certificate, with key_file
  std::optional<std::string> key_file;
  // While the engine is away, rooms that are known go on being answered for as long.
  domain::Duration max_stale = std::chrono::minutes{5};
  // A request that needs the engine waits no longer than that, over all attempts.
  domain::Duration timeout = std::chrono::seconds{3};
  // For one attempt at one member; then the next one is asked.
  domain::Duration attempt_timeout = std::chrono::seconds{1};

  bool is_shared() const { return engine != EngineKind::none; }
  bool operator==(const Options&) const = default;
};

}  // namespace cluster
