// What stands under the keys (cluster/keys.h), as JSON objects. Unknown members are passed over, so that newer
// sidecars may write more. Pure; any thread. Reading answers nothing for what cannot be used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/assignment.h"
#include "domain/catalogue.h"
#include "domain/change.h"

namespace cluster {

// An assignment. `id` is that of the command that wrote it: one that is repeated knows its own by it.
struct RoomValue {
  domain::Assignment row;  // room_id comes from the key; last_used_at is not shared
  std::string by;          // the sidecar
  std::string id;
};
std::string to_text(const RoomValue& value);
std::optional<RoomValue> room_value_from(const domain::RoomId& room, std::string_view text);

// A room that was given up.
struct Tombstone {
  enum class Why {
    empty,     // nobody used it any more: it goes back there if it is asked for soon
    released,  // by an operator: it goes wherever it fits
    forced,    // the same, also if it was occupied
  };
  std::string gateway;
  Why why = Why::empty;
  std::string id;
};
std::string to_text(const Tombstone& value);
std::optional<Tombstone> tombstone_from(std::string_view text);

// How a sidecar uses a room. An older sidecar gives no number; then somebody is there.
struct UseMark {
  domain::Use use = domain::Use::live;
  std::int64_t users = 1;
};
std::string to_text(const UseMark& value);
UseMark use_mark_from(std::string_view text);

struct SidecarValue {
  std::string name, address, version;
  std::string instance;  // another each time it starts
  domain::WallTime since{};
};
std::string to_text(const SidecarValue& value);
std::optional<SidecarValue> sidecar_value_from(std::string_view text);

std::string to_text(domain::Draining draining);
std::optional<domain::Draining> draining_from(std::string_view text);

struct FailoverValue {
  std::optional<std::string> standby;
  std::string by{};  // the sidecar that began it
};
std::string to_text(const FailoverValue& value);
std::optional<FailoverValue> failover_value_from(std::string_view text);

}  // namespace cluster
