// One of many sidecars, but for HTTP: a desk over a real database in a folder of its own, with claims from a Fleet.
// Its clock is turned by the test. Four gateways, gxy1 … gxy4, and any room. Asking is for any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "app/catalogue_keeper.h"
#include "app/desk.h"
#include "app/report_session.h"
#include "cluster/fleet.h"
#include "cluster/options.h"
#include "store/journal.h"

namespace cluster_test {

class SharingHouse {
 public:
  explicit SharingHouse(cluster::Options with);  // waits until it is live
  ~SharingHouse();

  // As the daemon does it; what is in the file is what is known afterwards.
  void stop();
  void start();
  // As a reload does it.
  void configure(const cluster::Options& with);

  // "gateway reason", or the code of a refusal.
  std::string ask(const std::string& room);
  // The gateway alone.
  std::string gateway(const std::string& room);
  // "gateway users", or the code of a refusal.
  std::string report(const std::string& room, const std::string& session);
  // Did the assignment end with that?
  bool leave(const std::string& room, const std::string& session);
  // Where the ledger has the room; "": nowhere.
  std::string knows(const std::string& room);
  // The same of the file.
  std::string row(const std::string& room);
  bool is_live() const;
  // Its own, in the store.
  std::string id() const { return *fleet->view().sidecar; }
  void pass(std::chrono::seconds time);  // in small steps: a leap counts for nobody (app/clock.h)

  cluster::Options options;
  std::unique_ptr<app::Desk> desk;
  std::unique_ptr<store::Journal> journal;
  std::unique_ptr<app::CatalogueKeeper> keeper;
  std::unique_ptr<cluster::Fleet> fleet;

 private:
  std::filesystem::path folder_;
  std::atomic<std::int64_t> service_{3'600'000};  // milliseconds
  std::unique_ptr<app::Clock> clock_;
};

}  // namespace cluster_test
