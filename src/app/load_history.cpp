#include "app/load_history.h"

#include <algorithm>

namespace app {
namespace {

std::uint32_t bounded(std::int64_t number) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(number, 0, UINT32_MAX - 1));
}

}  // namespace

void LoadHistory::add(domain::WallTime now, const std::vector<GatewayListing>& gateways) {
  const locks::MutexLock lock(mutex_);
  forget(now);
  const std::size_t before = times_.size();
  times_.push_back(now);
  for (const GatewayListing& gateway : gateways) {
    auto series = series_.find(gateway.name);
    if (series == series_.end()) {
      if (series_.size() == most_gateways) continue;
      series = series_.emplace(gateway.name, std::vector<Reading>(before, absent)).first;
    }
    series->second.push_back({bounded(gateway.load), bounded(gateway.users)});
  }
  for (auto& [name, readings] : series_) readings.resize(times_.size(), absent);
}

void LoadHistory::forget(domain::WallTime now) {
  const auto future = std::lower_bound(times_.begin(), times_.end(), now);
  const auto past = std::upper_bound(times_.begin(), future, now - span);
  const auto last = future - times_.begin();
  const auto first = std::max(past - times_.begin(), last - static_cast<std::ptrdiff_t>(most_samples) + 1);
  const auto keep = [&](auto& items) {
    items.erase(items.begin() + last, items.end());
    items.erase(items.begin(), items.begin() + first);
  };
  keep(times_);
  for (auto series = series_.begin(); series != series_.end();) {
    auto& readings = series->second;
    keep(readings);
    const bool is_gone = std::all_of(readings.begin(), readings.end(), is_absent);
    series = is_gone ? series_.erase(series) : std::next(series);
  }
}

LoadHistory::LastHour LoadHistory::last_hour() const {
  const locks::MutexLock lock(mutex_);
  LastHour hour;
  hour.times = times_;
  for (const auto& [name, readings] : series_) {
    Series series{name, {}};
    for (const Reading& reading : readings) {
      series.readings.push_back(is_absent(reading) ? std::nullopt : std::optional(reading));
    }
    hour.gateways.push_back(std::move(series));
  }
  return hour;
}

}  // namespace app
