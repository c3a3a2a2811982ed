// What the threads of one membership share: what is known of the store, and what to keep up to date with it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/catalogue_keeper.h"
#include "app/registry.h"
#include "cluster/counts.h"
#include "cluster/freshness.h"
#include "cluster/keys.h"
#include "cluster/options.h"
#include "cluster/replica.h"
#include "cluster/resume_point.h"
#include "etcd/authenticator.h"
#include "etcd/followed_cluster.h"
#include "locks/mutex.h"

namespace cluster {

struct SharedState {
  SharedState(const Options& settings, std::string own_id, std::string cluster_id, app::Registry& its_registry,
              store::Journal& its_journal, app::CatalogueKeeper& its_keeper, Counts& its_counts);

  const Options options;
  const std::shared_ptr<etcd::FollowedCluster> cluster;  // this one and the next are of all clients
  const std::shared_ptr<etcd::Authenticator> authenticator;
  const Keys keys;
  const std::string sidecar;
  app::Registry& registry;
  store::Journal& journal;
  app::CatalogueKeeper& keeper;
  Counts& counts;
  Freshness freshness;
  // Guards the replica, and has ledger and replica change as one: a thread that changes both takes it first, then a
  // transaction on the registry; never the other way round.
  locks::Mutex mutex;
  Replica replica GUARDED_BY(mutex);
  ResumePoint resume_point GUARDED_BY(mutex);

  // To be written with what has just been followed.
  domain::Fact resume_point_now() REQUIRES(mutex);
  // The assignment ended at the revision of an answer. The watch may have brought a newer one before.
  void end_room(domain::Ledger& ledger, const domain::RoomId& room, std::optional<std::string_view> tombstone)
      REQUIRES(mutex);
  // The room was on `gateway` here, and is on `winner` in the store.
  void count_conflict(const domain::RoomId& room, const std::string& gateway, const std::string& winner);
};

}  // namespace cluster
