// What there is to be seen of the sidecars that share their assignments, for GET /v2/cluster. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/time.h"

namespace app {

struct FleetView {
  struct Sidecar {
    std::string id, name, address, version;
    domain::WallTime since;  // when it was started
    bool is_self = false;
  };
  struct Member {  // of the engine
    std::string endpoint;
    std::optional<std::string> name, version;
    bool is_leader = false;
    std::optional<std::string> problem;
  };
  std::string engine = "none";
  // "idle" in legacy mode, "listing" before the first look at the engine, "live", "stale": not sure to be up to date,
  // "outdated": for too long.
  std::optional<std::string> state;
  std::optional<std::string> sidecar;  // this one's id
  std::int64_t revision = 0;
  std::optional<std::chrono::milliseconds> age;  // what is known is no older than that
  std::chrono::milliseconds max_stale{0};
  std::vector<Sidecar> sidecars;  // by name, then id
  std::vector<Member> members;
};

}  // namespace app
