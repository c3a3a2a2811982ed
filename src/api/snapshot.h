// The body of PUT /v2/sessions, up to 8 MiB, read as a stream. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace api {

// An id is nothing if it is missing or neither a string nor an integer from 0 to 2^64-1.
// Whether its text is valid is not looked at.
struct SnapshotEntry {
  std::optional<std::string> room;
  std::optional<std::string> session;
  std::optional<std::string> janus;
};

// As many as fit into 8 MiB if each names a room and a session; a list of more holds something else.
constexpr std::size_t max_entries = 320'000;

class SnapshotSink {
 public:
  virtual ~SnapshotSink() = default;
  // A list of sessions begins. If one has been before, the last counts: forget it.
  virtual void begin() = 0;
  virtual void add(SnapshotEntry entry) = 0;  // max_entries times at most
};

struct SnapshotOutcome {
  std::optional<std::string> problem;  // then what the sink got does not count
  bool too_many = false;               // the problem is that there are more than max_entries
  std::uint64_t age_ms = 0;
};

// {"sessions":[{"room","session","janus"?}…],"age_ms":0}: keys in any order, unknown ones skipped
// however deep, of doubles the last counts; `sessions` must be there, `age_ms` need not. Every entry must
// be an object: a list of anything else is no truth about sessions.
SnapshotOutcome parse_snapshot(std::string_view body, SnapshotSink& sink);

}  // namespace api
