// Which sidecars there are, as each announces itself on a lease, and which are gone but have left use marks behind.
// Any thread; a lock of its own, which is held briefly. Nothing fails.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "cluster/values.h"
#include "locks/mutex.h"

namespace cluster {

class Sidecars {
 public:
  using Clock = std::chrono::steady_clock;
  using ById = std::map<std::string, SidecarValue>;

  // This one has that id, and each run of it another instance.
  Sidecars(std::string own_id, std::string instance) : own_id_(std::move(own_id)), instance_(std::move(instance)) {}

  // What is followed. `with_use_marks`: those whose use marks are in the store.
  void list(ById sidecars, const std::set<std::string>& with_use_marks);
  void came(const std::string& id, const SidecarValue& sidecar);
  void went(const std::string& id);

  ById all() const;
  // How many come before this one in the order of names.
  std::size_t rank() const;
  // False: our key is gone, though our lease may not be.
  bool is_announced() const;
  void mark_announced();

  // The sidecars gone at that time or before, with use marks still there.
  std::set<std::string> lost_since(Clock::time_point time) const;
  // Its use marks are gone, too.
  void forget(const std::string& id);

 private:
  const std::string own_id_;
  const std::string instance_;
  mutable locks::Mutex mutex_;
  ById sidecars_ GUARDED_BY(mutex_);
  std::map<std::string, Clock::time_point> lost_ GUARDED_BY(mutex_);  // since when
  bool is_announced_ GUARDED_BY(mutex_) = true;
};

}  // namespace cluster
