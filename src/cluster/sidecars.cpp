#include "cluster/sidecars.h"

#include <iterator>
#include <utility>

#include "logging/log.h"

namespace cluster {

void Sidecars::list(ById sidecars, const std::set<std::string>& with_use_marks) {
  const locks::MutexLock lock(mutex_);
  sidecars_ = std::move(sidecars);
  if (!sidecars_.count(own_id_)) is_announced_ = false;
  std::erase_if(lost_, [&](const auto& lost) REQUIRES(mutex_) { return sidecars_.count(lost.first) > 0; });
  for (const std::string& id : with_use_marks) {
    if (id != own_id_ && !sidecars_.count(id)) lost_.try_emplace(id, Clock::now());
  }
}

void Sidecars::came(const std::string& id, const SidecarValue& sidecar) {
  const locks::MutexLock lock(mutex_);
  if (id == own_id_ && sidecar.instance != instance_) {
    logging::error("Another sidecar has the identity of this one: each needs a database file of its own",
                   {{"sidecar", id}, {"address", sidecar.address}});
  }
  sidecars_[id] = sidecar;
  lost_.erase(id);
}

void Sidecars::went(const std::string& id) {
  const locks::MutexLock lock(mutex_);
  sidecars_.erase(id);
  if (id == own_id_) {
    is_announced_ = false;
  } else {
    lost_.try_emplace(id, Clock::now());
  }
}

Sidecars::ById Sidecars::all() const {
  const locks::MutexLock lock(mutex_);
  return sidecars_;
}

std::size_t Sidecars::rank() const {
  const locks::MutexLock lock(mutex_);
  return static_cast<std::size_t>(std::distance(sidecars_.begin(), sidecars_.lower_bound(own_id_)));
}

bool Sidecars::is_announced() const {
  const locks::MutexLock lock(mutex_);
  return is_announced_;
}

void Sidecars::mark_announced() {
  const locks::MutexLock lock(mutex_);
  is_announced_ = true;
}

std::set<std::string> Sidecars::lost_since(Clock::time_point time) const {
  std::set<std::string> lost;
  const locks::MutexLock lock(mutex_);
  for (const auto& [id, since] : lost_) {
    if (since <= time) lost.insert(id);
  }
  return lost;
}

void Sidecars::forget(const std::string& id) {
  const locks::MutexLock lock(mutex_);
  lost_.erase(id);
}

}  // namespace cluster
