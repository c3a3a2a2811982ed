// PUT /v2/sessions: the whole truth at once. Those that are missing leave, new ones enter.
// Any thread. Applied in slices, so that a large one delays nobody; waits for new assignments to become
// durable, for at most Claims::patience(). What cannot be taken is reported entry by entry.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/registry.h"

namespace app {

struct SnapshotEntry {
  std::optional<std::string> room;  // nothing: missing, or no id at all
  std::optional<std::string> session;
  std::optional<std::string> janus;
};

struct RejectedEntry {
  std::size_t entry;       // its place in the snapshot
  std::string_view error;  // a code of the contract
};

struct SnapshotResult {
  std::size_t sessions = 0;  // live afterwards
  std::size_t entered = 0;
  std::size_t left = 0;
  std::vector<RejectedEntry> rejected;  // in the snapshot's order
  bool is_refused = false;              // there are entries, and none has valid ids: nothing was changed
};

// `age`: how old the truth is; a session that reported itself since then stays where it reported.
SnapshotResult report_snapshot(Registry& registry, const std::vector<SnapshotEntry>& entries,
                               std::chrono::milliseconds age);

}  // namespace app
