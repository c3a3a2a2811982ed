// Keeps the health sources true to the settings and the catalogue in force. Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/desk.h"
#include "app/rooms_heard.h"
#include "health/trouble_news.h"
#include "health/watch.h"

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
  void tell();
  void follow(const std::shared_ptr<const domain::Policy>& policy);

  app::Desk& desk_;
  mutable std::mutex mutex_;
  health::Options options_;
  bool changed_ = true;
  std::shared_ptr<const domain::Policy> followed_;
  health::TroubleNews news_;
  app::RoomsHeard rooms_;  // outlives the watch, which tells it
  health::Watch watch_;
};

}  // namespace sidecar
