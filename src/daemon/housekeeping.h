// The periodic work: last uses into the file, the cleaning, edits made from outside, what could not be
// written, the gateways' health and what follows from it. A thread of its own from construction to stop(). A failure is logged and tried again.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "app/catalogue_keeper.h"
#include "app/desk.h"
#include "daemon/gateway_watch.h"

namespace sidecar {

class Housekeeping {
 public:
  Housekeeping(app::Desk& desk, store::Journal& journal, app::CatalogueKeeper& keeper,
               GatewayWatch& watch);
  ~Housekeeping() { stop(); }

  void stop();
  // Somebody else has changed the file. Any thread, at any time.
  void file_changed();

 private:
  bool is_stopping();
  void work();
  void do_round(bool refresh);

  app::Desk& desk_;
  store::Journal& journal_;
  app::CatalogueKeeper& keeper_;
  GatewayWatch& watch_;
  domain::ServiceTime cleaned_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool refresh_ = false;
  bool stopping_ = false;
  bool refresh_failed_ = false;  // the thread's own
  std::thread thread_;
};

}  // namespace sidecar
