// Removes what departed sidecars have left behind, and tombstones that are old. Each sidecar does that for all: the
// first in the order of names begins, and the next ones find it done. One thread; what fails is tried again.
#pragma once

#include <chrono>
#include <set>
#include <string>

#include "cluster/shared_state.h"
#include "cluster/sidecars.h"
#include "cluster/writer.h"
#include "etcd/client.h"

namespace cluster {

class Departed {
 public:
  Departed(SharedState& state, Writer& writer, Sidecars& sidecars, etcd::Client& client)
      : state_(state), writer_(writer), sidecars_(sidecars), client_(client) {}

  void forget_silent_users();
  void forget_tombstones();
  void reap_lost();

 private:
  void reap(const std::string& id);
  std::chrono::milliseconds grace() const;

  SharedState& state_;
  Writer& writer_;
  Sidecars& sidecars_;
  etcd::Client& client_;
  std::set<std::string> silent_;  // sidecars gone for so long that their users count no more
};

}  // namespace cluster
