// Where things stand in the shared store. Keys are `<prefix><kind>/<name>`, names percent-encoded, so that
// none holds a slash. Pure; any thread.
//
//   beat                      the heartbeat: put now and then, so that a follower can see that it is up to date
//   failover/<gateway>        rooms are being moved away from there; the value names the standby that takes them
//   gateway/<name>            how it drains
//   left/<room>               a tombstone: was given up; goes back to the same gateway if it is asked for soon
//   room/<room>               its assignment
//   sidecar/<id>              is there (on a lease, which nothing else hangs on)
//   use/<room>/<sidecar>      a use mark: that sidecar uses that room, and has so many users in it
//
// All is followed by everyone. `use/` comes last: it is listed by itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/room_id.h"

namespace cluster {

enum class KeyKind { heartbeat, failover, gateway, tombstone, room, sidecar, use };

struct ParsedKey {
  KeyKind kind;
  std::string name;     // of a gateway or sidecar
  domain::RoomId room;  // of a tombstone, room or use mark
  std::string sidecar;  // of a use mark
};

class Keys {
 public:
  explicit Keys(std::string prefix) : prefix_(std::move(prefix)) {}

  std::string heartbeat() const { return prefix_ + "beat"; }
  std::string failover(std::string_view gateway) const { return key("failover/", gateway); }
  std::string gateway(std::string_view name) const { return key("gateway/", name); }
  std::string tombstone(const domain::RoomId& room) const { return key("left/", room); }
  std::string room(const domain::RoomId& room) const { return key("room/", room); }
  std::string sidecar(std::string_view id) const { return key("sidecar/", id); }
  std::string use(const domain::RoomId& room, std::string_view sidecar) const;

  // Ranges: [first, last).
  const std::string& first_followed() const { return prefix_; }
  std::string last_followed() const { return last_use(); }
  std::string first_use() const { return prefix_ + "use/"; }
  std::string last_use() const { return prefix_ + "use0"; }
  std::string first_use(const domain::RoomId& room) const { return key("use/", room) + '/'; }
  std::string last_use(const domain::RoomId& room) const { return key("use/", room) + '0'; }  // what comes after '/'

  // Nothing for a key that is none of these.
  std::optional<ParsedKey> parse(std::string_view key) const;

 private:
  std::string key(std::string_view kind, std::string_view name) const;

  std::string prefix_;
};

}  // namespace cluster
