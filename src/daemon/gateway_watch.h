// Keeps the health sources true to the settings and the catalogue in force. Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/desk.h"
#include "app/rooms_heard.h"
#include "health/trouble_news.h"
#include "health/watch.h"
#include "locks/mutex.h"

namespace sidecar {

class GatewayWatch {
 public:
  GatewayWatch(app::Desk& desk, health::Options options);

  // Other settings, after a reload.
  void configure(const health::Options& options);
  // To be called now and then: starts, stops and tells the sources what has changed.
  void keep_up();
  std::vector<std::string> troubles() const;

 private:
  void follow_and_tell();
  void tell() REQUIRES(mutex_);
  void follow(const std::shared_ptr<const domain::Policy>& policy) REQUIRES(mutex_);

  app::Desk& desk_;
  mutable locks::Mutex mutex_;
  health::Options options_ GUARDED_BY(mutex_);
  bool changed_ GUARDED_BY(mutex_) = true;
  std::shared_ptr<const domain::Policy> followed_ GUARDED_BY(mutex_);
  health::TroubleNews news_ GUARDED_BY(mutex_);
  app::RoomsHeard rooms_;  // outlives the watch, which tells it
  health::Watch watch_ GUARDED_BY(mutex_);
};

}  // namespace sidecar
