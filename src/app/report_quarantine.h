// Rooms that an operator has just released: for a while the `janus` of session reports is ignored for them, since clients
// still report the gateway that they have to leave. Under the registry's lock; nothing fails.
#pragma once

#include <map>

#include "domain/room_id.h"
#include "domain/time.h"

namespace app {

class ReportQuarantine {
 public:
  void begin(const domain::RoomId& room, domain::ServiceTime until) { until_.insert_or_assign(room, until); }

  bool accepts(const domain::RoomId& room, domain::ServiceTime now) {
    const auto it = until_.find(room);
    if (it == until_.end()) return true;
    if (now < it->second) return false;
    until_.erase(it);
    return true;
  }

 private:
  std::map<domain::RoomId, domain::ServiceTime> until_;
};

}  // namespace app
