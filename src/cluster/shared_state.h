// What the threads of one membership share: what is known of the store, and what to keep up to date with it.
#pragma once

#include <memory>
#include <string>

#include "app/catalogue_keeper.h"
#include "app/clock.h"
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
              store::Journal& its_journal, app::CatalogueKeeper& its_keeper, Counts& its_counts)
      : options(settings),
        cluster(std::make_shared<etcd::FollowedCluster>(settings, std::move(cluster_id))),
        authenticator(etcd::Authenticator::for_user_of(settings, cluster)),
        keys(settings.prefix),
        sidecar(std::move(own_id)),
        registry(its_registry),
        journal(its_journal),
        keeper(its_keeper),
        counts(its_counts) {}

  const Options options;
  const std::shared_ptr<etcd::FollowedCluster> cluster;  // this one and the next are of all engines
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
  domain::Fact resume_point_now() REQUIRES(mutex) {
    const auto age = freshness.age();
    if (age) resume_point.confirmed = app::wall_now() - *age;
    return {resume_point_fact, to_text(resume_point)};
  }
};

}  // namespace cluster
