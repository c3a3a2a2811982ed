// Asks each gateway's videoroom plugin which rooms it has, with how many participants: all gateways at once,
// none delaying another. A thread of its own from the first gateways to destruction. A gateway that does not
// answer with such a list gives no observation.
//
// Through Janus' API (a session and a handle for each list), or through its admin API (message_plugin),
// whichever is at the address: https://janus.conf.meetecho.com/docs/rest and …/docs/admin.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "domain/room_id.h"
#include "health/options.h"
#include "health/target.h"
#include "http/transfer.h"
#include "locks/mutex.h"

namespace health {

class RoomLists {
 public:
  // All rooms of a gateway. Called from a thread of this class.
  using Observed = std::function<void(const std::string& gateway, std::map<domain::RoomId, std::int64_t> rooms)>;

  RoomLists(OccupancyOptions options, Observed observed);
  ~RoomLists();
  RoomLists(const RoomLists&) = delete;
  RoomLists& operator=(const RoomLists&) = delete;

  // The gateways to ask from the next round on, at the API's URL as api_url makes it. Any thread.
  void ask(std::vector<Target> targets);
  // The gateways that gave no list when they were last asked. Any thread.
  std::vector<std::string> silent() const;

 private:
  class Asking;
  void work();
  std::vector<Target> targets() const;

  const OccupancyOptions options_;
  const Observed observed_;
  http::Transfers transfers_{{.kept_connections = kept_connections}};  // the thread's; its stop() is for any
  mutable locks::Mutex mutex_;
  std::vector<Target> targets_ GUARDED_BY(mutex_);
  std::vector<std::string> silent_ GUARDED_BY(mutex_);
  std::thread thread_ GUARDED_BY(mutex_);
};

}  // namespace health
