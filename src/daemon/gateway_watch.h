// Keeps the health sources true to the settings and the catalogue in force. Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/registry.h"
#include "app/room_lists.h"
#include "health/source_problems.h"
#include "health/watch.h"
#include "locks/mutex.h"

namespace sidecar {

class GatewayWatch {
 public:
  GatewayWatch(app::Registry& registry, health::Options options);

  // Other settings, after a reload.
  void configure(const health::Options& options);
  // To be called now and then: starts and stops the sources, and passes on what has changed.
  void keep_up();
  std::vector<std::string> problems() const;

 private:
  void follow_and_log();
  void log_problems() REQUIRES(mutex_);
  void follow(const std::shared_ptr<const domain::Policy>& policy) REQUIRES(mutex_);

  app::Registry& registry_;
  mutable locks::Mutex mutex_;
  health::Options options_ GUARDED_BY(mutex_);
  bool changed_ GUARDED_BY(mutex_) = true;
  std::shared_ptr<const domain::Policy> followed_ GUARDED_BY(mutex_);
  health::SourceProblems news_ GUARDED_BY(mutex_);
  app::RoomLists rooms_;  // outlives the watch, which reports to it
  health::Watch watch_ GUARDED_BY(mutex_);
};

}  // namespace sidecar
