// Rooms that an operator has just released: for a while the `janus` of session reports is ignored for them, since clients
// still report the gateway that they have to leave. Under the registry's lock; nothing fails.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "domain/time.h"

namespace app {

class ReportQuarantine {
 public:
  void begin(std::string_view room, domain::ServiceTime until) { until_.insert_or_assign(std::string(room), until); }

  bool accepts(std::string_view room, domain::ServiceTime now) {
    const auto it = until_.find(room);
    if (it == until_.end()) return true;
    if (now < it->second) return false;
    until_.erase(it);
    return true;
  }

 private:
  std::map<std::string, domain::ServiceTime, std::less<>> until_;
};

}  // namespace app
