// Limits the log lines that clients can cause. Under the registry's lock; nothing fails.
#pragma once

#include <map>
#include <optional>

#include "domain/row_ids.h"
#include "domain/time.h"

namespace app {

class LogLimits {
 public:
  // That a room cannot be answered: once a second for each.
  bool may_log_room(domain::RowId room, domain::ServiceTime now) {
    return is_due(rooms_[room], now, std::chrono::seconds{1});
  }
  // That there are too many sessions: once a minute.
  bool may_log_sessions(domain::ServiceTime now) { return is_due(sessions_, now, std::chrono::minutes{1}); }

 private:
  using LoggedAt = std::optional<domain::ServiceTime>;

  static bool is_due(LoggedAt& logged_at, domain::ServiceTime now, domain::Duration every) {
    if (logged_at && now < *logged_at + every) return false;
    logged_at = now;
    return true;
  }

  std::map<domain::RowId, LoggedAt> rooms_;  // as many as there are rooms, at most
  LoggedAt sessions_;
};

}  // namespace app
