// Applies what the shared store has to replica, ledger and file: changes as they come (applier.cpp), or a whole list
// (listing.cpp). What is missing in a list has ended, or is republished. The follower's thread only. Nothing fails.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/shared_state.h"
#include "cluster/sidecars.h"
#include "cluster/writer.h"
#include "etcd/client.h"

namespace cluster {

// All that the store has, as of one revision.
struct Listing {
  Freshness::Time sent{};  // when it was asked for
  std::string cluster_id{};
  etcd::Revision revision = 0;
  std::vector<etcd::KeyValue> items{};
  std::vector<etcd::KeyValue> use_marks{};
};

class Applier {
 public:
  Applier(SharedState& state, Writer& writer, Sidecars& sidecars)
      : state_(state), writer_(writer), sidecars_(sidecars) {}

  // `has_other_past`: the store is another one than was followed, or was put back.
  void apply(const Listing& listing, bool has_other_past);
  // In order, and what one revision has done at once.
  void apply(const std::vector<etcd::Event>& events);
  // After a list: drains go into the file without a lock.
  void write_drains();

 private:
  using RowAt = std::pair<domain::Assignment, etcd::Revision>;
  struct ListedRooms {
    std::set<domain::RoomId> names;
    std::vector<RowAt> rows;          // to be followed
    std::vector<RowAt> to_republish;  // into the store, over that revision
  };

  struct ListedNames {
    std::map<std::string, SidecarValue> sidecars;
    std::set<std::string> gateways;  // that the store has a drain or its end of
  };

  ListedNames apply_items(const Listing& listing) REQUIRES(state_.mutex);
  void apply_rooms(const Listing& listing, bool is_other_history, bool is_restored) REQUIRES(state_.mutex);
  ListedRooms read_rooms(const Listing& listing, bool is_restored) REQUIRES(state_.mutex);
  void apply_rows(const std::vector<RowAt>& rows, bool is_other_history) REQUIRES(state_.mutex);
  void end_missing(etcd::Revision as_of, bool is_other_history, ListedRooms& listed) REQUIRES(state_.mutex);
  std::set<std::string> apply_use_marks(const Listing& listing) REQUIRES(state_.mutex);
  void republish_drains(const std::set<std::string>& drained);

  void apply(app::Registry::Transaction& local, const etcd::Event& event) REQUIRES(state_.mutex);
  void apply_room(app::Registry::Transaction& local, const domain::RoomId& room, const etcd::Event& event)
      REQUIRES(state_.mutex);
  void apply_tombstone(domain::Ledger& ledger, const domain::RoomId& room, const etcd::Event& event)
      REQUIRES(state_.mutex);
  void apply_failover(domain::Ledger& ledger, const std::string& gateway, const etcd::Event& event)
      REQUIRES(state_.mutex);
  void apply_use_mark(domain::Ledger& ledger, const ParsedKey& key, const etcd::Event& event) REQUIRES(state_.mutex);
  void apply_draining(const std::string& gateway, const etcd::Event& event);
  void apply_sidecar(const std::string& id, const etcd::Event& event);

  void empty_by_force(app::Registry::Transaction& local, const domain::RoomId& room);
  void forget_emptied();

  SharedState& state_;
  Writer& writer_;
  Sidecars& sidecars_;
  std::set<domain::RoomId> forced_;                 // rooms that an operator has released by force, of these changes
  std::map<std::string, domain::Draining> drains_;  // by gateway, that the file does not have yet
  std::vector<domain::RoomId> emptied_;             // by force, and with sessions that are to be forgotten
};

}  // namespace cluster
