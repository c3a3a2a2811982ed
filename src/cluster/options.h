// Whether sidecars share their assignments, and through what. Names are those of config.toml's [cluster].
#pragma once

#include "etcd/options.h"

namespace cluster {

enum class EngineKind { none, etcd };

// While etcd is away, known rooms go on being answered for max_stale.
struct Options : etcd::Options {
  EngineKind engine = EngineKind::none;

  bool is_shared() const { return engine != EngineKind::none; }
  bool operator==(const Options&) const = default;
};

}  // namespace cluster
