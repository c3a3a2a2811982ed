#include "http/load_shedding.h"

namespace http {
namespace {

constexpr std::chrono::minutes reports_matter_for{1};

}  // namespace

void LoadShedding::refused_connection(std::size_t listener) {
  connections_refused_.add();
  const Listener& full = listeners_[listener];
  refused_.warn({{"address", full.address}, {"slots", static_cast<std::int64_t>(full.slots)}});
}

void LoadShedding::displaced_connection(std::size_t listener) {
  connections_displaced_.add();
  const Listener& full = listeners_[listener];
  displaced_.warn({{"address", full.address}, {"slots", static_cast<std::int64_t>(full.slots)}});
}

void LoadShedding::refused_large_body(std::string_view route) {
  large_bodies_refused_.add();
  large_bodies_.warn({{"route", route}});
}

void LoadShedding::refused_session_report() {
  session_reports_refused_.add();
  report_refused_at_ = Clock::now().time_since_epoch();
}

bool LoadShedding::refuses_session_reports() const {
  const Clock::duration at = report_refused_at_;
  return at != Clock::duration::min() && Clock::now().time_since_epoch() - at < reports_matter_for;
}

}  // namespace http
