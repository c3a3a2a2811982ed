// The way of one sidecar's rooms into the shared store, and that of the sidecar out of it, for processes with no writer
// and no follower: the command `cluster`, beside the running sidecar, and a sidecar that has just become alone. Done
// with the commands of cluster/command.h, so it may be done twice, or be broken off and begun again.
// These block, each call to etcd for as long as its options' timeout, all of them together until the deadline.
// One thread; what fails is a sentence in the result, with what had been done by then.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cluster/options.h"
#include "domain/assignment.h"
#include "domain/catalogue.h"
#include "etcd/client.h"

namespace cluster {

// What a sidecar has in its own file.
struct LocalState {
  std::vector<domain::Assignment> rooms;
  std::set<domain::RoomId> live;                                 // those of them with sessions
  std::vector<std::pair<std::string, domain::Draining>> drains;  // by gateway
};

struct Elsewhere {
  domain::RoomId room;
  std::string here, there;
};

struct Republished {
  std::size_t republished = 0;  // or, if it was only compared: those that would be
  std::size_t there_already = 0;
  std::size_t drains = 0;            // republished, as above
  std::vector<Elsewhere> elsewhere;  // whose gateway is another one in the store, which counts
  // It follows the store itself, so its file is no news to it: nothing was compared.
  bool is_shared_already = false;
  std::optional<std::string> problem;
};

// Each room is marked as used by `sidecar`, also where it was there before: else it would end there with the last of
// the others. It has to share soon: the use marks of one that is not there are removed after some minutes.
Republished republish_all(etcd::Client& client, const Options& options, const std::string& sidecar,
                          const LocalState& local, bool only_compares, etcd::Client::Deadline deadline);

struct TakenOut {
  std::size_t marks = 0;  // rooms that it used
  std::size_t ended = 0;  // those of them that nobody else used, which end in the store
  std::optional<std::string> problem;
};

// For a sidecar that does not share any more.
TakenOut leave_store(etcd::Client& client, const Options& options, const std::string& sidecar,
                     etcd::Client::Deadline deadline);

// Is it there: does it share, by its own key on a lease? Nothing: that cannot be known, and `*why` has the reason.
std::optional<bool> is_announced(etcd::Client& client, const Options& options, const std::string& sidecar,
                                 std::string* why);

// leave_store() on a thread of its own, which its end breaks off. What came of it is logged.
class LeaveTask {
 public:
  // `cluster`: the one that was followed.
  LeaveTask(const Options& options, std::shared_ptr<etcd::FollowedCluster> cluster,
            std::shared_ptr<etcd::Authenticator> authenticator, std::string sidecar);
  ~LeaveTask();
  LeaveTask(const LeaveTask&) = delete;
  LeaveTask& operator=(const LeaveTask&) = delete;

 private:
  const Options options_;
  const std::string sidecar_;
  etcd::Client client_;
  std::thread thread_;
};

}  // namespace cluster
