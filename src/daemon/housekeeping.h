// The periodic work: last uses into the file, the cleaning, edits made from outside, what could not be
// written, the gateways' health and what follows from it, samples of their load. A thread of its own from
// construction to stop(). A failure is logged and tried again.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "app/catalogue_keeper.h"
#include "app/load_history.h"
#include "app/registry.h"
#include "daemon/gateway_watch.h"
#include "locks/mutex.h"

namespace sidecar {

class Housekeeping {
 public:
  Housekeeping(app::Registry& registry, store::Journal& journal, app::CatalogueKeeper& keeper, GatewayWatch& watch,
               app::LoadHistory& load_history);
  ~Housekeeping() { stop(); }

  void stop();
  // Somebody else has changed the file. Any thread, at any time.
  void file_changed();
  // Rises about twice a second while the thread gets on.
  std::uint64_t heartbeats() const { return heartbeats_; }

 private:
  bool attempt(const char* work, const std::function<void()>& task);
  void watch_storage();
  bool is_stopping();
  void work();
  void do_round(bool refresh);

  app::Registry& registry_;
  store::Journal& journal_;
  app::CatalogueKeeper& keeper_;
  GatewayWatch& watch_;
  app::LoadHistory& load_history_;
  std::atomic<std::uint64_t> heartbeats_{0};
  locks::Mutex mutex_;
  locks::ConditionVariable woken_;
  bool refresh_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  // The thread's own.
  domain::ServiceTime cleaned_;
  std::optional<domain::ServiceTime> sampled_;
  bool refresh_failed_ = false;
  std::set<std::string> logged_;  // the work whose failure was logged
  int hung_ = 0;                  // rounds since the journal last gave a sign
  std::thread thread_;
};

}  // namespace sidecar
