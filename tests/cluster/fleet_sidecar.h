// One of many sidecars: its claims come from a Fleet. Four gateways, gxy1 … gxy4, and any room.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "app/sidecar_fixture.h"
#include "cluster/fleet.h"
#include "etcd/options.h"

namespace cluster_test {

class FleetSidecar : public SidecarFixture {
 public:
  explicit FleetSidecar(etcd::Options with);  // waits until it is live
  ~FleetSidecar();

  // As the daemon does it; what is in the file is what is known afterwards.
  void stop();
  void start();
  // As a reload does it. Without endpoints it is alone.
  void configure(const etcd::Options& with);

  // The answered gateway alone.
  std::string gateway(const std::string& room);
  // Did the assignment end with that?
  bool leave(const std::string& room, const std::string& session);
  // Where the ledger has the room; "": nowhere.
  std::string knows(const std::string& room);
  bool is_live() const;
  // Its own, in the store.
  std::string id() const { return *fleet->view().sidecar; }
  void pass(std::chrono::seconds time);  // in small steps: a leap is left out (app/clock.h)

  etcd::Options options;
  std::unique_ptr<cluster::Fleet> fleet;

 private:
  void share();
};

}  // namespace cluster_test
