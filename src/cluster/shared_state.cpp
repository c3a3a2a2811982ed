#include "cluster/shared_state.h"

#include <utility>

#include "app/clock.h"
#include "logging/log.h"

namespace cluster {

SharedState::SharedState(const Options& settings, std::string own_id, std::string cluster_id,
                         app::Registry& its_registry, store::Journal& its_journal, app::CatalogueKeeper& its_keeper,
                         Counts& its_counts)
    : options(settings),
      cluster(std::make_shared<etcd::FollowedCluster>(settings, std::move(cluster_id))),
      authenticator(etcd::Authenticator::for_user_of(settings, cluster)),
      keys(settings.prefix),
      sidecar(std::move(own_id)),
      registry(its_registry),
      journal(its_journal),
      keeper(its_keeper),
      counts(its_counts) {}

domain::Fact SharedState::resume_point_now() {
  const auto age = freshness.age();
  if (age) resume_point.confirmed = app::wall_now() - *age;
  return {resume_point_fact, to_text(resume_point)};
}

void SharedState::end_room(domain::Ledger& ledger, const domain::RoomId& room,
                           std::optional<std::string_view> tombstone) {
  if (const auto now = replica.room(room)) return ledger.follow(now->row);
  ledger.unfollow(room);
  ledger.set_tombstone(room, tombstone);
}

void SharedState::count_conflict(const domain::RoomId& room, const std::string& gateway, const std::string& winner) {
  counts.conflicts.add();
  logging::warn("Room conflict: the shared store names another gateway, which wins; users here are split from new ones",
                {{"room_id", room}, {"here", gateway}, {"gateway_name", winner}});
}

}  // namespace cluster
